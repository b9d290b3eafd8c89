import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { cuenvLauncher } from "../cuenv-command.ts";

/** Starting takes 0.1 s; a machine that is a hundred times slower is not waited for. */
const startTimeoutMs = 10_000;
/** What the server has still to do at its end, uploads for one (ms). Then it is left to itself: it ends by itself, its stdin being closed. */
const stopTimeoutMs = 20_000;

/** `cuenv serve` on this machine, for one run of Nx. */
export interface CacheProcess {
  readonly url: string;
  /** What it lets in. */
  readonly token: string;
  /** Lets it do what it has still to do, within a bound. */
  stop(): Promise<void>;
}

export interface CacheProcessOptions {
  readonly workspaceRoot: string;
  readonly token: string;
  /** A line that whoever runs Nx should see. */
  readonly onWord: (line: string) => void;
}

/**
 * Starts it at a free port of the loopback. It ends when its stdin does: with this process, however that ends. Undefined: the cache is off here.
 * @throws {Error} when it does not start
 */
export async function startCacheProcess(
  options: CacheProcessOptions,
): Promise<CacheProcess | undefined> {
  const { token, workspaceRoot } = options;
  const { NODE_OPTIONS: _options, ...env } = process.env;
  // Signed as results of tasks are: what somebody else put into the folder, or into a remote cache, is a miss.
  const soft = ["--sign-unless-off", "--remote-if-configured", "--in-cache-mode"];
  const flags = ["--http", "127.0.0.1:0", "--grpc", "off", "--json", "--while-stdin", ...soft];
  const child = spawn(process.execPath, [cuenvLauncher(), "serve", ...flags], {
    cwd: workspaceRoot,
    env: { ...env, CUENV_SERVER_TOKEN: token },
    stdio: ["pipe", "pipe", "pipe"],
    // Ctrl-C is for Nx and its tasks: the server is still wanted while they end.
    detached: true,
  });
  letProcessEnd(child);
  child.stderr.on("data", (chunk: Buffer) => options.onWord(chunk.toString().trimEnd()));
  // One that ended closes it, and that is told by what it no longer answers.
  child.stdin.on("error", () => undefined);
  const url = await addressOf(child);
  if (url === undefined) return undefined;
  return {
    url,
    token,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      // Without isolation this is Nx' own process, which would end in the middle if nothing kept it.
      child.ref();
      child.stdin.end();
      const { promise: late, timer } = later(stopTimeoutMs);
      await Promise.race([ended, late]);
      clearTimeout(timer);
      child.unref();
    },
  };
}

/** Nobody waits for it who does not ask. */
function letProcessEnd(child: ChildProcess): void {
  child.unref();
  for (const stream of child.stdio)
    if (stream !== null && stream !== undefined && "unref" in stream)
      (stream as { unref(): void }).unref();
}

/** From the one line that it prints once it listens; undefined when it ends well without one. */
function addressOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let text = "";
    const fail = (reason: string): void => {
      settle();
      child.kill();
      reject(new Error(`cannot start cuenv serve: ${reason}`));
    };
    const timer = setTimeout(() => fail(`no answer within ${startTimeoutMs} ms`), startTimeoutMs);
    const onData = (chunk: Buffer): void => {
      text += chunk.toString();
      if (!text.includes("\n")) return;
      const { url, error } = parsed(text);
      if (url === undefined) return fail(error ?? text.slice(0, 200));
      settle();
      resolve(url);
    };
    const onExit = (code: number | null): void => {
      if (code !== 0) return fail(parsed(text).error ?? `exit code ${code}`);
      settle();
      resolve(undefined);
    };
    const onError = (error: Error): void => fail(error.message);
    const settle = (): void => {
      clearTimeout(timer);
      child.stdout?.off("data", onData);
      child.off("exit", onExit);
      child.off("error", onError);
      // Nothing more is expected, and a full pipe would stop it.
      child.stdout?.resume();
    };
    child.stdout?.on("data", onData);
    child.once("exit", onExit);
    child.once("error", onError);
  });
}

function parsed(text: string): { readonly url?: string; readonly error?: string } {
  try {
    const { url, error } = JSON.parse(text) as { url?: string; error?: { message: string } };
    return {
      ...(url === undefined ? {} : { url }),
      ...(error === undefined ? {} : { error: error.message }),
    };
  } catch {
    return {};
  }
}

function later(ms: number): { readonly promise: Promise<void>; readonly timer: NodeJS.Timeout } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, timer: setTimeout(resolve, ms) };
}
