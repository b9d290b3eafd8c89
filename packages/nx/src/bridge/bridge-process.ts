import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import process from "node:process";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { BridgeAddress, EndedBridge } from "./run-bridge.ts";

const program = fileURLToPath(new URL("../../bin/cuenv-nx.js", import.meta.url));
/** Starting takes 0.05 s; a machine that is a hundred times slower is not waited for (ms). */
const startTimeoutMs = 10_000;
/** Durations are told and the server ends within 20 s (ms). */
const endTimeoutMs = 40_000;

/** A run of Nx, and where what is known of it is kept: the process that hears of its end may be another than that which heard of its start. */
export interface RunPlace {
  readonly id: string;
  readonly dataFolder: string;
}

/**
 * Starts a bridge that lives as long as the run. @throws {Error} when it cannot be had
 */
export async function startBridgeProcess(
  place: RunPlace,
  workspaceRoot: string,
): Promise<BridgeAddress> {
  const { NODE_OPTIONS: _options, ...env } = process.env;
  const child = spawn(process.execPath, [program, "bridge", String(process.ppid), fileOf(place)], {
    cwd: workspaceRoot,
    env,
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  child.unref();
  try {
    const address = await addressOf(child);
    mkdirSync(place.dataFolder, { recursive: true });
    writeFileSync(fileOf(place), JSON.stringify(address), { mode: 0o600 });
    return address;
  } catch (error) {
    child.kill();
    throw error;
  } finally {
    child.stdout.destroy();
  }
}

/**
 * Tells it how long tasks took, by hash (ms), and that the run ended. Undefined: this run has no such bridge.
 * @throws {Error} when it does not answer
 */
export async function endBridgeProcess(
  place: RunPlace,
  durations: Readonly<Record<string, number>>,
): Promise<EndedBridge | undefined> {
  const file = fileOf(place);
  let known: string;
  try {
    known = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  rmSync(file, { force: true });
  const { endUrl, token } = JSON.parse(known) as BridgeAddress;
  return JSON.parse(await post(endUrl, token, JSON.stringify(durations))) as EndedBridge;
}

/** From the one line that it prints once it listens. */
function addressOf(child: ChildProcessByStdio<null, Readable, null>): Promise<BridgeAddress> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      clearTimeout(timer);
      reject(new Error(`its bridge does not start: ${reason}`));
    };
    const timer = setTimeout(() => fail(`no answer in ${startTimeoutMs} ms`), startTimeoutMs);
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (!said.includes("\n")) return;
      clearTimeout(timer);
      resolve(JSON.parse(said) as BridgeAddress);
    });
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code) => fail(`exit code ${code}`));
  });
}

function fileOf({ id, dataFolder }: RunPlace): string {
  return join(dataFolder, `cuenv-bridge-${encodeURIComponent(id)}.json`);
}

/** With an agent of our own: with NODE_USE_ENV_PROXY that of Node's would ask a proxy for this machine. */
function post(url: string, token: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, connection: "close" };
    const outgoing = request(url, { method: "POST", headers, agent: new Agent() });
    outgoing.setTimeout(endTimeoutMs, () => outgoing.destroy(new Error("it does not answer")));
    outgoing.on("error", reject);
    outgoing.on("response", (answered) => void text(answered).then(resolve, reject));
    outgoing.end(body);
  });
}
