import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { temporaryFolder } from "../e2e/sandbox.ts";
import { readTree, type Tree } from "../faults/tree.ts";

export interface NxRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in no order between them. */
  readonly output: string;
}

export interface NxRunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly onStart?: (pid: number) => void;
}

/** A workspace of Nx with projects of env.cue, and everything that Nx and cuenv keep in folders of its own. */
export interface NxWorkspace {
  readonly root: string;
  readonly cacheDir: string;
  /** Where Nx keeps its results. */
  readonly nxCache: string;
  write(name: string, content: string): void;
  read(name: string): string;
  nx(args: readonly string[], options?: NxRunOptions): Promise<NxRun>;
  /** Of the last run: how each task came by its result, as Nx itself wrote it down. */
  cacheStatus(): Readonly<Record<string, string>>;
  /** How often each task was executed: tasks count in files beside the workspace. */
  runs(): Readonly<Record<string, number>>;
  outputs(): Tree;
  /** As a new clone on another machine: no output, nothing in Nx' own cache. */
  wipe(): Promise<void>;
  /** Ends Nx' daemon, if there is one. */
  stop(): Promise<void>;
}

export interface NxWorkspaceOptions {
  /** The node_modules of Nx with our packages in it. */
  readonly modules: string;
  readonly files: Readonly<Record<string, string>>;
  readonly daemon?: boolean;
  /** Default: the Node of the tests. */
  readonly node?: string;
  /** Of @cuenv/nx in nx.json. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly nxJson?: Readonly<Record<string, unknown>>;
  /** cuenv's cache folder; default: its own. */
  readonly cacheDir?: string;
}

export function makeNxWorkspace(options: NxWorkspaceOptions): NxWorkspace {
  const { modules, daemon = false, node = process.execPath } = options;
  const base = temporaryFolder();
  const root = join(base, "work");
  const cacheDir = options.cacheDir ?? join(base, "cuenv");
  const nxCache = join(base, "nx-cache");
  const data = join(base, "nx-data");
  const runsFolder = join(base, "runs");
  for (const folder of [root, runsFolder, nxCache, join(base, "home")])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, content: string): void => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  };
  const manifest = { name: "work", private: true, workspaces: ["packages/*"] };
  write("package.json", JSON.stringify(manifest));
  write(".gitignore", "node_modules\n.nx\ndist\n");
  write(
    "nx.json",
    JSON.stringify({
      plugins: [{ plugin: "@cuenv/nx", options: options.options ?? {} }],
      neverConnectToCloud: true,
      analytics: false,
      ...options.nxJson,
    }),
  );
  for (const [name, content] of Object.entries(options.files)) write(name, content);
  symlinkSync(modules, join(root, "node_modules"));
  spawnSync("git", ["init", "-q"], { cwd: root });
  const environment = {
    PATH: [dirname(node), process.env["PATH"]].join(delimiter),
    HOME: join(base, "home"),
    RUNS: runsFolder,
    CUENV_CACHE_DIR: cacheDir,
    NX_CACHE_DIRECTORY: nxCache,
    NX_WORKSPACE_DATA_DIRECTORY: data,
    // The path of a socket may have 100 characters only.
    NX_SOCKET_DIR: join(base, "s"),
    NX_DAEMON: String(daemon),
    NX_TUI: "false",
    NX_NO_UPDATE_NOTIFIER: "true",
    NO_COLOR: "1",
    ...(daemon ? {} : { CI: "true" }),
  };
  const nx: NxWorkspace["nx"] = (args, run = {}) =>
    runNx([node, join(root, "node_modules", "nx", "dist", "bin", "nx.js"), ...args], {
      cwd: run.cwd ?? root,
      env: { ...environment, ...run.env },
      onStart: run.onStart,
    });
  return {
    root,
    cacheDir,
    nxCache,
    write,
    read: (name) => readFileSync(join(root, name), "utf8"),
    nx,
    cacheStatus() {
      const text = readFileSync(join(nxCache, "run.json"), "utf8");
      const { tasks } = JSON.parse(text) as { tasks: { taskId: string; cacheStatus: string }[] };
      return Object.fromEntries(tasks.map(({ taskId, cacheStatus }) => [taskId, cacheStatus]));
    },
    runs() {
      const tree = readTree(runsFolder);
      return Object.fromEntries(
        Object.entries(tree).map(([name, text]) => [name, text.split("\n").length - 1]),
      );
    },
    outputs: () =>
      Object.fromEntries(
        Object.entries(readTree(join(root, "packages"))).filter(([path]) =>
          /\/dist(?:\/|$)/.test(path),
        ),
      ),
    async wipe() {
      await nx(["reset"]);
      for (const folder of [nxCache, data]) rmSync(folder, { recursive: true, force: true });
      mkdirSync(nxCache, { mode: 0o700 });
      for (const path of Object.keys(readTree(join(root, "packages"))))
        if (path.endsWith("/dist"))
          rmSync(join(root, "packages", path), { recursive: true, force: true });
    },
    async stop() {
      if (daemon) await nx(["daemon", "--stop"]);
    },
  };
}

function runNx(
  [program = "", ...args]: readonly string[],
  options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly onStart: ((pid: number) => void) | undefined;
  },
): Promise<NxRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const text = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (text.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (text.stderr += chunk.toString()));
    child.on("error", reject);
    // "exit" and not "close": a daemon that Nx leaves behind may hold the pipes.
    child.on("exit", (code, signal) =>
      setImmediate(() => resolve({ code, signal, ...text, output: text.stdout + text.stderr })),
    );
    if (child.pid !== undefined) options.onStart?.(child.pid);
  });
}
