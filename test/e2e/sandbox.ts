import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { launcher, shippedLauncher } from "../command/launchers.ts";

export { launcher };

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The same, byte for byte. */
  readonly bytes: { readonly stdout: Buffer; readonly stderr: Buffer };
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Relative to the project. */
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** Told the process as soon as it runs. */
  readonly onStart?: (pid: number) => void;
  /** A process group of its own, so that a test can signal all of it as a terminal does. */
  readonly detached?: boolean;
}

/** A project folder with a cache folder and a home of its own, removed when the tests of the file are over. */
export interface Sandbox {
  /** Absolute path of the project. */
  readonly root: string;
  readonly cacheDir: string;
  readonly home: string;
  path(name: string): string;
  write(name: string, content: string | Uint8Array): void;
  read(name: string): string;
  exists(name: string): boolean;
  remove(name: string): void;
  /** How often the line was appended to `name`: tasks count their executions with `echo x >> name`. */
  count(name: string): number;
  cuenv(args: readonly string[], options?: RunOptions): Promise<Outcome>;
}

export interface SandboxOptions {
  /** Name of the project's folder. */
  readonly name?: string;
  /** The sandbox whose cache folder and home this one has, too: another project of one user. */
  readonly beside?: Sandbox;
  /** The command as it is shipped: it loads an evaluator of its own, and keeps its compiled code where it does. */
  readonly isShipped?: boolean;
}

const compiledCode = { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] };

const folders: string[] = [];
// Not `onTestFinished`: tests that run at once, and those that share a sandbox, would take it from each other.
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder of its own, removed when the tests of the file are over. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "cuenv-e2e-")));
  folders.push(folder);
  return folder;
}

/** `files` are written below the project. Beside it is room for what must be nobody's input: `../runs`. */
export function createSandbox(
  files: Readonly<Record<string, string>>,
  options: SandboxOptions = {},
): Sandbox {
  const base = temporaryFolder();
  const root = join(base, options.name ?? "project");
  const cacheDir = options.beside?.cacheDir ?? join(base, "cache");
  const home = options.beside?.home ?? join(base, "home");
  const isShipped = options.isShipped === true;
  const environment = {
    ...plainEnvironment(home),
    ...(isShipped ? {} : compiledCode),
    CUENV_CACHE_DIR: cacheDir,
  };
  for (const directory of [root, home]) mkdirSync(directory, { recursive: true });
  const path = (file: string): string => join(root, file);
  const write = (file: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(path(file)), { recursive: true });
    writeFileSync(path(file), content);
  };
  for (const [file, content] of Object.entries(files)) write(file, content);
  return {
    root,
    cacheDir,
    home,
    path,
    write,
    read: (file) => readFileSync(path(file), "utf8"),
    exists: (file) => existsSync(path(file)),
    remove: (file) => rmSync(path(file), { recursive: true, force: true }),
    count: (file) => countLines(path(file)),
    cuenv: (args, run = {}) =>
      runProgram(process.execPath, [isShipped ? shippedLauncher : launcher, ...args], {
        ...run,
        cwd: join(root, run.cwd ?? ""),
        env: { ...environment, ...run.env },
      }),
  };
}

/** An env.cue that holds this; JSON is CUE. */
export function cue(content: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** The fields of a task that counts its executions in `../NAME` and then runs `script`. */
export function counting(name: string, script = "true"): { readonly command: string } {
  return { command: `echo x >> ../${name}; ${script}` };
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

export interface ProgramOptions extends RunOptions {
  /** Absolute. */
  readonly cwd: string;
}

/** Runs a program to its end, with no standard input. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: options.detached ?? false,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const bytes = { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
      resolve({
        code,
        signal,
        stdout: bytes.stdout.toString(),
        stderr: bytes.stderr.toString(),
        bytes,
      });
    });
    if (child.pid !== undefined) options.onStart?.(child.pid);
  });
}
