import { isAbsence } from "@cuenv/digest";
import { chmodSync, lstatSync, readdirSync, realpathSync, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { formatFolder } from "./disk-layout.ts";
import { errorCode } from "./system-error.ts";

/**
 * What a cache folder is worth. `refused`: somebody else could have put entries into it, or could replace it, so it is
 * neither read nor written (reference/reliability.md T14).
 */
export type FolderTrust =
  | { readonly kind: "absent" }
  | { readonly kind: "trusted"; readonly mended: string | undefined }
  | { readonly kind: "refused"; readonly reason: string };

const groupOrWorldWritable = 0o022;
const worldWritable = 0o002;
const sticky = 0o1000;

/** Ours, or root's, who could change anything anyway. */
function isTrustedOwner(stat: Stats): boolean {
  return stat.uid === process.geteuid?.() || stat.uid === 0;
}

/**
 * Looks at the folder and at those above it. A folder of ours that others may write to is mended, unless it holds things
 * of somebody's that are not a cache. Where the system has no owners (Windows), every folder is trusted.
 */
export function inspectFolder(root: string): FolderTrust {
  let stat: Stats;
  let real: string;
  try {
    const link = lstatSync(root);
    if (process.geteuid !== undefined && link.isSymbolicLink() && !isTrustedOwner(link)) {
      return refused(`${root} is a symbolic link of user ${link.uid}`);
    }
    // Also above the name itself: who may rename there could swap it for a link between one look and the next.
    const above = inspectParents(dirname(root), link);
    if (above !== undefined) return above;
    real = realpathSync(root);
    stat = statSync(real);
  } catch (error) {
    if (!isAbsence(error)) return refused(error instanceof Error ? error.message : String(error));
    return inspectParents(dirname(root), undefined) ?? { kind: "absent" };
  }
  if (!stat.isDirectory()) return refused(`${root} is not a folder`);
  if (process.geteuid === undefined) return { kind: "trusted", mended: undefined };
  if (!isTrustedOwner(stat)) return refused(`${root} belongs to user ${stat.uid}`);
  const parents = inspectParents(dirname(real), stat);
  if (parents !== undefined) return parents;
  const inside = inspectInside(`${real}/${formatFolder}`);
  if (inside !== undefined) return inside;
  if ((stat.mode & groupOrWorldWritable) === 0) return { kind: "trusted", mended: undefined };
  return mend(real, stat);
}

/** What was put below a folder that others could write to stays suspect when that is mended: so the folder of the format must be private itself. */
function inspectInside(path: string): FolderTrust | undefined {
  const stat = statOrUndefined(path);
  if (stat === undefined) return undefined;
  if (!isTrustedOwner(stat)) return refused(`${path} belongs to user ${stat.uid}`);
  if ((stat.mode & groupOrWorldWritable) === 0) return undefined;
  return refused(
    `${path} is writable for others (mode ${(stat.mode & 0o777).toString(8)}); remove it, and it is made anew`,
  );
}

function refused(reason: string): FolderTrust {
  return { kind: "refused", reason };
}

function mend(root: string, stat: Stats): FolderTrust {
  const mode = (stat.mode & 0o777).toString(8);
  const reason = `${root} is writable for others (mode ${mode})`;
  if (stat.uid !== process.geteuid?.() || (stat.mode & sticky) !== 0 || !isOurs(root)) {
    return refused(reason);
  }
  try {
    chmodSync(root, stat.mode & 0o777 & ~groupOrWorldWritable);
  } catch (error) {
    return refused(`${reason} and cannot be mended: ${errorCode(error)}`);
  }
  return { kind: "trusted", mended: `${reason}; they no longer can` };
}

function isOurs(root: string): boolean {
  try {
    const names = readdirSync(root);
    return names.length === 0 || names.includes(formatFolder) || names.includes("CACHEDIR.TAG");
  } catch {
    return false;
  }
}

/**
 * Whoever may rename a folder above ours may put another in its place. World-writable folders are acceptable when they are
 * sticky (/tmp), and the one below them is ours or root's. Group-writable ones are: with private groups (umask 002) every home is.
 */
function inspectParents(nearest: string, below: Stats | undefined): FolderTrust | undefined {
  if (process.geteuid === undefined) return undefined;
  let child = below;
  for (let path = nearest; ; path = dirname(path)) {
    const stat = statOrUndefined(path);
    if (stat !== undefined && (stat.mode & worldWritable) !== 0) {
      if ((stat.mode & sticky) === 0) {
        return refused(`${path}, a folder above it, is writable for everybody`);
      }
      if (child !== undefined && !isTrustedOwner(child)) {
        return refused(`a folder above it, in ${path}, belongs to user ${child.uid}`);
      }
    }
    if (stat !== undefined) child = stat;
    if (path === dirname(path)) return undefined;
  }
}

function statOrUndefined(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
