import { timingSafeEqual } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import process from "node:process";
import { openBridge } from "./bridge.ts";
import { startCacheProcess } from "./cache-process.ts";
import { randomToken } from "./random-token.ts";

/**
 * Nobody tells of the end of a run that was killed. One that has not asked for so long is over (6 h; ms): sooner would end the build of a task that takes long, which
 * asks again at its end. Without the daemon, which is stopped when nobody works here, the shorter one counts (10 min).
 */
const silentMs = 6 * 3_600_000;
const silentAloneMs = 10 * 60_000;
const lookEveryMs = 60_000;

/** What is printed on one line once it listens. */
export interface BridgeAddress {
  readonly url: string;
  readonly token: string;
  /** Where the end of the run is told, with the same token. */
  readonly endUrl: string;
}

/** What is answered at the end. */
export interface EndedBridge {
  readonly hits: number;
  readonly misses: number;
  readonly stored: readonly string[];
  readonly savedMs: number;
  /** For whoever runs Nx. */
  readonly words: readonly string[];
}

/**
 * `cuenv-nx bridge`: a bridge for one run of Nx, in a process of its own, until it is told that the run ended. The workspace is the current folder. What was written down of
 * its address, in `addressFile`, it removes at its end: of a run that was killed nobody else would.
 */
export async function runBridge(daemonPid: number, addressFile: string): Promise<void> {
  process.on("exit", () => rmSync(addressFile, { force: true }));
  const words: string[] = [];
  const onWord = (line: string): void => void words.push(line);
  const settings = { workspaceRoot: process.cwd(), token: randomToken(), onWord };
  let askedMs = performance.now();
  const onRequest = (): void => void (askedMs = performance.now());
  const bridge = await openBridge({
    start: () => startCacheProcess(settings),
    onWord,
    onRequest,
  });
  setInterval(() => {
    const silent = performance.now() - askedMs;
    if (silent > silentMs || (silent > silentAloneMs && !isRunning(daemonPid)))
      void bridge.close().finally(() => process.exit());
  }, lookEveryMs);
  const end = async (request: IncomingMessage): Promise<EndedBridge> => {
    const durations = JSON.parse(await text(request)) as Readonly<Record<string, number>>;
    const counts = bridge.counts();
    const own = Object.entries(durations).filter(([hash]) => counts.stored.has(hash));
    await bridge.noteDurations(Object.fromEntries(own));
    await bridge.close();
    return { ...counts, stored: [...counts.stored], words };
  };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const given = Buffer.from(request.headers.authorization ?? "");
    const wanted = Buffer.from(`Bearer ${bridge.token}`);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
      return void response.writeHead(401).end();
    response.on("close", () => process.exit());
    return void end(request).then(
      (ended) => response.end(JSON.stringify(ended)),
      () => response.destroy(),
    );
  });
  server.listen({ host: "127.0.0.1", port: 0 }, () => {
    const { port } = server.address() as AddressInfo;
    const { url, token } = bridge;
    const address: BridgeAddress = { url, token, endUrl: `http://127.0.0.1:${port}` };
    process.stdout.write(`${JSON.stringify(address)}\n`);
  });
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code !== "ESRCH";
  }
}
