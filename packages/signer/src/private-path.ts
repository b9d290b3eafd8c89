import { lstatSync, realpathSync, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";

/** `secret`: nobody else may read it. `authentic`: others may read it, but not write it. */
export type Privacy = "secret" | "authentic";

const groupOrWorld = 0o077;
const groupOrWorldWritable = 0o022;
const worldWritable = 0o002;
const sticky = 0o1000;

/**
 * Why a file of keys is not to be believed, or undefined; as ssh looks at its own: a regular file, of ours or root's, closed to others, in a folder
 * that only we write to, and no folder above it lets everybody put another in its place. Where the system has no owners (Windows), all are
 * taken. @throws system errors, ENOENT among them
 */
export function privacyProblem(path: string, privacy: Privacy): string | undefined {
  const stat = lstatSync(path);
  if (!stat.isFile()) return "it is not a regular file";
  if (process.geteuid === undefined) return undefined;
  if (!isOurs(stat)) return `it belongs to user ${stat.uid}`;
  const forbidden = privacy === "secret" ? groupOrWorld : groupOrWorldWritable;
  if ((stat.mode & forbidden) !== 0) {
    const mode = (stat.mode & 0o777).toString(8);
    return `others may ${privacy === "secret" ? "read or write" : "write"} it (mode ${mode})`;
  }
  return folderProblem(dirname(path));
}

/** What mends a secret file that {@link privacyProblem} finds fault with. @throws system errors */
export function privacyHint(path: string): string {
  const stat = lstatSync(path);
  if (!stat.isFile()) return "Move it away, or put a key file there.";
  if (isOurs(stat) && (stat.mode & groupOrWorld) !== 0)
    return `If nobody else had it: chmod 600 ${path}. Otherwise remove it, and revoke the key.`;
  return "It has to be yours, in a folder that only you can write to. If others could put a file there, make another key.";
}

/** Why the folder of a key file is not to be believed: by its name and, where links lead to it, by where it is. @throws system errors, ENOENT among them */
export function folderProblem(folder: string): string | undefined {
  if (process.geteuid === undefined) return undefined;
  const real = realpathSync(folder);
  return problemAbove(folder) ?? (real === folder ? undefined : problemAbove(real));
}

function problemAbove(folder: string): string | undefined {
  const own = statSync(folder);
  if (!isOurs(own)) return `its folder ${folder} belongs to user ${own.uid}`;
  if ((own.mode & groupOrWorldWritable) !== 0) {
    return `others may write to its folder ${folder} (mode ${(own.mode & 0o777).toString(8)})`;
  }
  let child = own;
  for (let path = dirname(folder); ; path = dirname(path)) {
    const stat = statSync(path);
    if ((stat.mode & worldWritable) !== 0) {
      if ((stat.mode & sticky) === 0) return `everybody may write to ${path}, a folder above it`;
      if (!isOurs(child)) return `a folder above it, in ${path}, belongs to user ${child.uid}`;
    }
    child = stat;
    if (path === dirname(path)) return undefined;
  }
}

/** Ours, or root's, who could change anything anyway. */
function isOurs(stat: Stats): boolean {
  return stat.uid === process.geteuid?.() || stat.uid === 0;
}
