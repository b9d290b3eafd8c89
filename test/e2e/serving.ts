import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { launcher, temporaryFolder } from "./sandbox.ts";

/** What `cuenv serve --json` prints, and how to end it. */
export interface Serving {
  readonly url: string;
  /** Where gRPC is served. */
  readonly grpcUrl: string;
  /** By protocol: the base address for its clients. */
  readonly protocols: Readonly<Record<string, string>>;
  readonly pid: number;
  /** Its cache folder. */
  readonly dir: string;
  /** What it said on stderr up to now. */
  said(): string;
  stop(): Promise<void>;
}

export interface ServingOptions {
  /** The cache folder; default: a new one. */
  readonly dir?: string;
  readonly flags?: readonly string[];
  /** What `--config` names. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** `cuenv serve` as a process of its own, at a free port. */
export async function startServing(
  env: Readonly<Record<string, string>> = {},
  { dir = join(temporaryFolder(), "cache"), flags = [], config }: ServingOptions = {},
): Promise<Serving> {
  const file = join(temporaryFolder(), "server.json");
  if (config !== undefined) writeFileSync(file, JSON.stringify(config));
  const more = config === undefined ? [] : ["--config", file];
  const args = [launcher, "serve", "--http", "0", "--dir", dir, "--json", ...more, ...flags];
  const child = spawn(process.execPath, args, {
    cwd: temporaryFolder(),
    env: { PATH: process.env["PATH"] ?? "", HOME: temporaryFolder(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
    child.once("close", () => reject(new Error(`the server ended: ${stderr}`)));
  });
  if (!line.includes('"url"')) throw new Error(`the server did not start: ${line}`);
  const { url, grpcUrl, protocols } = JSON.parse(line) as Pick<
    Serving,
    "url" | "grpcUrl" | "protocols"
  >;
  return {
    url,
    grpcUrl,
    protocols,
    pid: child.pid ?? 0,
    dir,
    said: () => stderr,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
