import { resolve } from "node:path";
import { parseByteSize } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import { type AnsweredRequest, createCacheServer, type HttpServer } from "@cuenv/server";
import type { Invocation } from "../command-line/command.ts";
import { flagText, flagValue } from "../command-line/given.ts";
import { openSettings } from "../project/open-project.ts";
import { printErr, printOut } from "../report/terminal.ts";
import { clientSettings, protocolUrls } from "../serve/client-settings.ts";
import { type ListenAddress, parseListenAddress, urlOf } from "../serve/listen-address.ts";
import { accessPolicy, readServerSettings } from "../serve/server-access.ts";

const defaultAddress = "127.0.0.1:8484";

/** `cuenv serve`: until it is told to end. */
export async function runServe(invocation: Invocation): Promise<number> {
  const address = parseListenAddress(flagText(invocation, "http") ?? defaultAddress);
  const file = flagText(invocation, "config");
  const server = readServerSettings(file);
  const onTrouble = (message: string): void => printErr(`warning: ${message}\n`);
  const policy = await accessPolicy(server, address.host, onTrouble);
  const { settings } = await openSettings(invocation, { remember: false });
  const dir = flagText(invocation, "dir");
  const maxBytes = flagValue(invocation, "max-size", parseByteSize, "50GiB");
  const root = dir === undefined ? settings.cacheDir : resolve(dir);
  const http = createCacheServer({
    root,
    digestFunction: settings.digestFunction,
    durability: settings.durability,
    limits: {
      maxBytes: maxBytes ?? settings.maxSizeBytes,
      maxAgeMs: settings.maxAgeMs,
    },
    evictionPolicy: settings.evictionPolicy,
    policy,
    tags: server.tags,
    maxArtifactBytes: server.maxArtifactBytes,
    onTrouble,
    onRequest: invocation.flags["verbose"] === true ? logRequest : undefined,
  });
  const ended = untilSignal();
  const bound = await listen(http, address);
  announce(invocation, urlOf(bound), root);
  await ended;
  printErr("cuenv serve: ending; running requests have 20 s\n");
  await http.close();
  return 0;
}

async function listen(http: HttpServer, address: ListenAddress): Promise<ListenAddress> {
  try {
    return await http.listen(address);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    const what = code === "EADDRINUSE" ? "another program listens there" : code;
    throw new CuenvError("SERVER_LISTEN", `cannot listen at ${urlOf(address)}: ${what}`, {
      hint: "--http takes another address; port 0 is any that is free.",
      cause,
    });
  }
}

/** For people what to set, by client; or one document: scripts that start a server with port 0 read the address from it. */
function announce(invocation: Invocation, url: string, cacheDir: string): void {
  if (invocation.flags["json"] === true) {
    const protocols = protocolUrls(url);
    printOut(`${JSON.stringify({ version: 1, url, cacheDir, protocols })}\n`);
    return;
  }
  printErr(`cuenv serves ${cacheDir}\n${clientSettings(url)}`);
}

function untilSignal(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => done());
  });
}

/** Names and tokens are not in it: who asked is the name of a token. */
function logRequest({ method, path, status, who, durationMs }: AnsweredRequest): void {
  const time = new Date().toISOString();
  printErr(
    `${time} ${method} ${JSON.stringify(path).slice(1, -1)} ${status} ${who ?? "-"} ${durationMs.toFixed(1)} ms\n`,
  );
}
