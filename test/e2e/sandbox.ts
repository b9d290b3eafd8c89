import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** The published launcher; `npm run setup` or the global set-up of the tests made the bundle behind it. */
export const launcher: string = fileURLToPath(
  new URL("../../apps/cli/bin/cuenv.js", import.meta.url),
);

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Relative to the project. */
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** Told the process as soon as it runs. */
  readonly onStart?: (pid: number) => void;
}

/** A project folder with a cache folder and a home of its own, removed when the test is over. */
export interface Sandbox {
  /** Absolute path of the project. */
  readonly root: string;
  readonly cacheDir: string;
  readonly home: string;
  path(name: string): string;
  write(name: string, content: string): void;
  read(name: string): string;
  /** How often the line was appended to `name`: tasks count their executions with `echo x >> name`. */
  count(name: string): number;
  cuenv(args: readonly string[], options?: RunOptions): Promise<Outcome>;
}

/** `files` are written below the project; `name` distinguishes two sandboxes that must have different paths. */
export function createSandbox(files: Readonly<Record<string, string>>, name = "project"): Sandbox {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "cuenv-e2e-")));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const root = join(base, name);
  const cacheDir = join(base, "cache");
  const home = join(base, "home");
  for (const directory of [root, home]) mkdirSync(directory, { recursive: true });
  const path = (file: string): string => join(root, file);
  const write = (file: string, content: string): void => {
    mkdirSync(dirname(path(file)), { recursive: true });
    writeFileSync(path(file), content);
  };
  for (const [file, content] of Object.entries(files)) write(file, content);
  const read = (file: string): string => readFileSync(path(file), "utf8");
  return {
    root,
    cacheDir,
    home,
    path,
    write,
    read,
    count: (file) => countLines(path(file)),
    cuenv: (args, options = {}) =>
      run(process.execPath, [launcher, ...args], {
        ...options,
        cwd: join(root, options.cwd ?? ""),
        env: { ...plainEnvironment(home), CUENV_CACHE_DIR: cacheDir, ...options.env },
      }),
  };
}

/** What a test run sees of the machine: enough to find programs, nothing that changes what cuenv does. */
export function plainEnvironment(home: string): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: home, TMPDIR: tmpdir() };
}

function countLines(path: string): number {
  try {
    return readFileSync(path, "utf8").split("\n").length - 1;
  } catch {
    return 0;
  }
}

interface SpawnOptions extends RunOptions {
  readonly cwd: string;
}

/** Runs a program to its end, with no standard input. */
export function run(
  program: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({
        code,
        signal,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
    if (child.pid !== undefined) options.onStart?.(child.pid);
  });
}
