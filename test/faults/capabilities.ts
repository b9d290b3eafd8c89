import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Undefined: the machine has it. Else the reason why not, in a few words. */
type Lack = string | undefined;

function isInstalled(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** A tool that is installed and does not work is a mistake of the machine that CI must show, not pass over. */
function broken(what: string): Lack {
  if (process.env["CI"] === "true") throw new Error(`${what}: CI needs it to work`);
  return what;
}

function lackOfStrace(): Lack {
  if (process.platform !== "linux") return `strace is for Linux, and this is ${process.platform}`;
  if (!isInstalled("strace")) return "strace is not installed";
  const probe = ["--trace=rmdir", "--inject=rmdir:error=EIO", "rmdir", "/nonexistent"];
  const { stderr } = spawnSync("strace", ["-qq", "-o", "/dev/null", ...probe], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  return stderr.includes("Input/output error")
    ? undefined
    : broken(`strace cannot inject faults here (${stderr.trim().slice(0, 200)})`);
}

function lackOfMounts(): Lack {
  if (process.platform !== "linux") return `tmpfs is for Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "only root may mount";
  const folder = mkdtempSync(join(tmpdir(), "cuenv-mount-"));
  try {
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "none", folder]);
    if (mounted.status !== 0) return "tmpfs cannot be mounted here, as in most containers";
    spawnSync("umount", [folder]);
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function lackOfOverlays(): Lack {
  const lack = lackOfMounts();
  if (lack !== undefined) return lack;
  const script =
    "mount -t tmpfs none /mnt && mkdir /mnt/l /mnt/u /mnt/w /mnt/m && mount -t overlay -o lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w none /mnt/m";
  const { status } = spawnSync("sh", ["-c", `unshare --mount sh -c '${script}'`]);
  return status === 0 ? undefined : "overlay file systems cannot be mounted here";
}

function lackOfOtherUsers(): Lack {
  if (process.platform !== "linux") return `setpriv is for Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "only root may become another user";
  if (!isInstalled("setpriv")) return "setpriv is not installed";
  const { status } = spawnSync("setpriv", [...otherUser, "true"]);
  return status === 0 ? undefined : broken(`setpriv fails with status ${status}`);
}

function lackOfLimits(): Lack {
  if (process.platform === "win32") return "Windows has no ulimit";
  return isInstalled("bash") ? undefined : "bash is not installed";
}

/** Arguments of setpriv that make it nobody. */
export const otherUser = ["--reuid=65534", "--regid=65534", "--clear-groups"];

const lacks = {
  strace: lackOfStrace(),
  mounts: lackOfMounts(),
  overlays: lackOfOverlays(),
  "another user": lackOfOtherUsers(),
  limits: lackOfLimits(),
};

for (const [name, lack] of Object.entries(lacks)) {
  if (lack !== undefined) console.warn(`SKIPPED: fault tests that need ${name}: ${lack}`);
}

export type Capability = keyof typeof lacks;

export function isLacking(needed: Capability): boolean {
  return lacks[needed] !== undefined;
}

/** For the end of a test's name: says, when it is skipped, what was lacking. */
export function lackOf(needed: Capability): string {
  const lack = lacks[needed];
  return lack === undefined ? "" : ` [SKIPPED: ${lack}]`;
}

/** Everything instead of the short form: `CUENV_FULL_SWEEP=1`. */
export const isFull: boolean = process.env["CUENV_FULL_SWEEP"] === "1";
