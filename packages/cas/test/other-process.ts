import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What another process printed and how it ended. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const nodeArguments = ["--conditions=@cuenv/source", "--input-type=module-typescript"];

/** Names that the program of another process can import from: `import { … } from SOURCE + "/x.ts"`. */
export const sourceUrl: string = new URL("../src", import.meta.url).href;

const prefixes = {
  asNobody: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
  withMounts: ["unshare", "--mount"],
};

/** Runs a TypeScript module in a Node of its own, as a user without rights when `asNobody`. */
export function runModule(
  program: string,
  options: {
    readonly asNobody?: boolean;
    /** In a mount namespace of its own, so that nothing stays mounted. */
    readonly withMounts?: boolean;
    readonly environment?: NodeJS.ProcessEnv;
  } = {},
): Promise<Ended> {
  const node = [process.execPath, ...nodeArguments, "--eval", program];
  const asNobody = options.asNobody === true ? prefixes.asNobody : [];
  const withMounts = options.withMounts === true ? prefixes.withMounts : [];
  const [command = "", ...args] = [...withMounts, ...asNobody, ...node];
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { ...process.env, NODE_OPTIONS: "", ...options.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ stdout, stderr, code, signal }));
  });
}

/** Whether a tool of the system works here; says so when it does not, so that no test is left out in silence. */
function has(what: string, command: string, args: readonly string[]): boolean {
  const works = spawnSync(command, args, { stdio: "ignore" }).status === 0;
  if (!works) console.warn(`SKIPPED: ${what} is needed and not there`);
  return works;
}

/** Processes of another user: root, and setpriv of util-linux. */
export const canBeNobody: boolean =
  process.getuid?.() === 0 &&
  has("setpriv as root", "setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "true"]);

/** Mounts, in a mount namespace of their own. */
export const canMount: boolean = has("unshare -m (root)", "unshare", [
  "--mount",
  "sh",
  "-c",
  "mount -t tmpfs none /mnt",
]);

/** Limits of a process, set by itself. */
export const canLimit: boolean = has("prlimit", "prlimit", ["--nofile"]);

/** Run in a mount namespace of its own: a file system below /mnt/xfs that can share blocks between files. XFS wants 300 MB, and uses few of them. */
export const mountCloning: readonly string[] = [
  "mount -t tmpfs none /mnt",
  "truncate -s 320M /mnt/image",
  "PATH=$PATH:/sbin:/usr/sbin mkfs.xfs -q -m reflink=1 /mnt/image",
  "mkdir /mnt/xfs",
  "mount -o loop /mnt/image /mnt/xfs",
];

export const canClone = (): boolean =>
  has("an XFS that can be mounted (root, mkfs.xfs, loop devices)", "unshare", [
    "--mount",
    "sh",
    "-c",
    [...mountCloning, "umount /mnt/xfs"].join(" && "),
  ]);
