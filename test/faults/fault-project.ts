import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { launcher, shippedLauncher } from "../command/launchers.ts";
import { type CommandOutcome, runCommand } from "./run-command.ts";

/** Outputs of all kinds: files, folders in folders, an empty folder, the exec bit, a link, and a file of its own. */
export const projectFiles: Readonly<Record<string, string>> = {
  "env.cue": `package env

tasks: {
	build: {
		command: "sh"
		args: ["make.sh"]
		inputs: ["src", "make.sh"]
		outputs: ["out", "single.txt"]
	}
	// The size of its result is what eviction works on.
	bulk: {
		command: "sh"
		args: ["bulk.sh"]
		inputs: ["bulk.sh", "bulk.txt"]
		outputs: ["bulk"]
	}
	fail: {
		command: "sh"
		args: ["-c", "echo before; echo trouble >&2; exit 3"]
		inputs: ["src"]
	}
}
`,
  "src/a.txt": "first\n",
  "src/b.txt": "second\n",
  "make.sh": `set -e
echo run >> ../runs
rm -rf out single.txt
mkdir -p out/nested/deep out/empty
cat src/a.txt > out/a.txt
cat src/a.txt src/b.txt > out/nested/deep/both.txt
cat src/b.txt > out/nested/b.txt
printf '#!/bin/sh\\necho ran\\n' > out/run
chmod 755 out/run
ln -s nested/deep/both.txt out/link
cat src/b.txt src/a.txt > single.txt
echo built
echo advice >&2
`,
  "bulk.txt": "1\n",
  "bulk.sh": `set -e
mkdir -p bulk
for part in 1 2 3; do
  (cat bulk.txt; head -c 300000 /dev/zero | tr '\\0' "$part") > bulk/$part.bin
done
`,
  // Beside the outputs, so that whoever removes or writes too much meets them.
  "out.canary": "stays\n",
  "single.txt.canary": "stays\n",
  "other/canary": "stays\n",
};

export const canaries: readonly string[] = ["out.canary", "single.txt.canary", "other/canary"];
export const buildStdout = "built\n";
/** What the task itself says on stderr; our own lines begin with `cuenv` or `warning`. */
export const buildStderr = "advice\n";

/** A project whose workspace and cache folder can be put back as they were, at the same paths. */
export interface FaultProject {
  readonly base: string;
  readonly workspace: string;
  readonly cacheDir: string;
  /** The TMPDIR of what it runs. */
  readonly temporary: string;
  path(name: string): string;
  write(name: string, content: string): void;
  read(name: string): string;
  cuenv(args: readonly string[], options?: FaultRunOptions): Promise<CommandOutcome>;
  /** How often `make.sh` was run. */
  runs(): number;
  /** Keeps workspace and cache folder as they are now. */
  keep(): Promise<void>;
  /** Puts back what was kept. */
  putBack(): Promise<void>;
  /** Until no process works in the workspace: a killed cuenv leaves its task running. */
  settled(): Promise<void>;
  /** Makes the workspace, and all else but the cache folder, that user's. */
  giveTo(uid: number): void;
  /** Everybody may read the cache folder, and only its owner write. */
  openCacheForReading(): void;
  remove(): void;
}

export interface FaultRunOptions {
  /** Default: the workspace. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Told the process as soon as it runs. */
  readonly onStart?: (pid: number) => void;
  /** Put in front of the command: `strace …`, `setpriv …`. */
  readonly wrapper?: readonly string[];
}

export interface FaultProjectOptions {
  /** The folder that gets the cache folder; default: beside the workspace. */
  readonly cacheParent?: string;
  /** In place of {@link projectFiles}. */
  readonly files?: Readonly<Record<string, string>>;
  /** Loads its own evaluator, under whatever limits the command runs. */
  readonly ownEvaluator?: boolean;
}

/** Node's compile cache lies elsewhere, so that all files of the cache folder are ours. */
export function createFaultProject(options: FaultProjectOptions = {}): FaultProject {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "cuenv-faults-")));
  const live = join(base, "live");
  const workspace = join(live, "project");
  const cacheBase =
    options.cacheParent === undefined
      ? live
      : realpathSync(mkdtempSync(join(options.cacheParent, "cuenv-faults-")));
  const cacheDir = join(cacheBase, "cache");
  const temporary = join(live, "tmp");
  const home = join(base, "home");
  for (const folder of [workspace, temporary, home]) mkdirSync(folder, { recursive: true });
  const isAlone = options.ownEvaluator === true;
  const command = isAlone ? shippedLauncher : launcher;
  const path = (name: string): string => join(workspace, name);
  const write = (name: string, content: string): void => {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), content);
  };
  for (const [name, content] of Object.entries(options.files ?? projectFiles)) write(name, content);
  const environment = {
    // Enough to find programs, and nothing that changes what cuenv does.
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    TMPDIR: temporary,
    CUENV_CACHE_DIR: cacheDir,
    NODE_COMPILE_CACHE: isAlone ? join(base, "compile-cache") : process.env["NODE_COMPILE_CACHE"],
  };
  const kept = join(base, "kept");
  const keptCache = options.cacheParent === undefined ? undefined : join(base, "kept-cache");
  return {
    base,
    workspace,
    cacheDir,
    temporary,
    path,
    write,
    read: (name) => readFileSync(path(name), "utf8"),
    cuenv: (args, { wrapper = [], env, onStart, cwd = workspace } = {}) =>
      runCommand([...wrapper, process.execPath, command, ...args], {
        cwd,
        env: { ...environment, ...env },
        onStart,
      }),
    runs: () => (existsSync(join(live, "runs")) ? lines(join(live, "runs")) : 0),
    keep: async () => {
      await copy(live, kept);
      if (keptCache !== undefined) await copy(cacheDir, keptCache);
    },
    putBack: async () => {
      await copy(kept, live);
      if (keptCache !== undefined) await copy(keptCache, cacheDir);
    },
    settled: () => settled(workspace),
    giveTo: (uid) => {
      chmodSync(base, 0o755);
      must("chown", "-R", `${uid}:${uid}`, workspace, temporary, home, join(base, "compile-cache"));
      must("chown", `${uid}:${uid}`, live, join(live, "runs"));
    },
    openCacheForReading: () => must("chmod", "-R", "u=rwX,go=rX", cacheDir),
    remove: () => {
      for (const folder of new Set([base, cacheBase]))
        rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One for the present test. */
export function disposableProject(options: FaultProjectOptions = {}): FaultProject {
  const project = createFaultProject(options);
  onTestFinished(() => project.remove());
  return project;
}

function must(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`cannot go on: ${program} ${args.join(" ")}: ${stderr}`);
}

/** Replaces a folder by a copy of another, times and modes included. */
async function copy(from: string, to: string): Promise<void> {
  rmSync(to, { recursive: true, force: true });
  if (!existsSync(from)) return;
  const { code, stderr } = await runCommand(["cp", "-a", from, to], {
    cwd: "/",
    env: process.env,
  });
  if (code !== 0) throw new Error(`cannot copy ${from}: ${stderr}`);
}

function lines(path: string): number {
  return readFileSync(path, "utf8").split("\n").length - 1;
}

/** 10 s: no task of these tests takes longer than a fraction of that. */
const maxSettleAttempts = 1000;

/** Until no process works in a folder any more. */
export async function settled(workspace: string): Promise<void> {
  for (let attempt = 1; attempt < maxSettleAttempts; attempt += 1) {
    if (!readdirSync("/proc").some((pid) => worksIn(pid, workspace))) return;
    await setTimeout(10);
  }
  throw new Error(`cannot go on: a process still works in ${workspace}`);
}

function worksIn(pid: string, folder: string): boolean {
  if (!/^\d+$/.test(pid)) return false;
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
  } catch {
    return false;
  }
}

/** What tells whether somebody touched a file: all but the time of the last look. */
export function stampOf(path: string): string {
  const { ino, size, mode, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
  return `${ino} ${size} ${mode} ${mtimeNs} ${ctimeNs}`;
}

/** Lines of stderr that are not ours: the task's. */
export function taskStderr(stderr: string): string {
  return stderr.replaceAll(/^(?:cuenv |warning: ).*\n/gmu, "");
}

export function warnings(stderr: string): readonly string[] {
  return stderr.split("\n").filter((line) => line.includes("warning"));
}

/** `options` of a new tmpfs, or `remount,…`. */
export function mount(folder: string, options: string): void {
  mkdirSync(folder, { recursive: true });
  must("mount", "-t", "tmpfs", "-o", options, "none", folder);
}

/** A folder put together of what is in `lower` and `upper`; on a file system that can be an upper layer, as tmpfs is. */
export function mountOverlay(folder: string, lower: string, upper: string, work: string): void {
  for (const each of [folder, lower, upper, work]) mkdirSync(each, { recursive: true });
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  must("mount", "-t", "overlay", "-o", options, "none", folder);
}

export function unmount(folder: string): void {
  spawnSync("umount", ["-l", folder]);
}
