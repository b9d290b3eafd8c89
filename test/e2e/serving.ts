import { spawn } from "node:child_process";
import { join } from "node:path";
import { launcher, temporaryFolder } from "./sandbox.ts";

/** What `cuenv serve --json` prints, and how to end it. */
export interface Serving {
  readonly url: string;
  /** By protocol: the base address for its clients. */
  readonly protocols: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** `cuenv serve` as a process of its own, at a free port. */
export async function startServing(env: Readonly<Record<string, string>> = {}): Promise<Serving> {
  const dir = join(temporaryFolder(), "cache");
  const args = [launcher, "serve", "--http", "0", "--dir", dir, "--json"];
  const child = spawn(process.execPath, args, {
    cwd: temporaryFolder(),
    env: { PATH: process.env["PATH"] ?? "", HOME: temporaryFolder(), ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const line = await new Promise<string>((resolve) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
  });
  const { url, protocols } = JSON.parse(line) as Omit<Serving, "stop">;
  return {
    url,
    protocols,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
