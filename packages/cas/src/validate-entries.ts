import type { OutputEntry } from "./output-entry.ts";

/** Bytes of one name, and of a whole path: what common file systems take. */
const maxNameBytes = 255;
const maxPathBytes = 4096;

const asciiOnly = /^[\u0020-\u007e]*$/;
/** Names of common letters that do not begin with a dot, or with one only: nearly every path, in one step instead of ten (measured on the way of a hit). */
const harmlessPath =
  /^(?:\.?[A-Za-z0-9_@+-][A-Za-z0-9_@+.-]*\/)*\.?[A-Za-z0-9_@+-][A-Za-z0-9_@+.-]*$/;
/** What Windows takes for a device or a stream, or silently shortens. */
const windowsNames = /[<>:"|?*]|[. ]$|^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/**
 * Why `path` cannot be the path of an output, or undefined. Names are judged alike on every platform, so that what was
 * stored on one can be restored on another, except for the names that only Windows cannot have.
 */
export function pathProblem(path: string, platform: string = process.platform): string | undefined {
  if (path.length <= maxNameBytes && harmlessPath.test(path) && platform !== "win32")
    return undefined;
  if (path === "") return "an empty path";
  if (asciiOnly.test(path) ? path.length > maxPathBytes : Buffer.byteLength(path) > maxPathBytes) {
    return `a path longer than ${maxPathBytes} bytes`;
  }
  for (const name of path.split("/")) {
    const problem = nameProblem(name, platform);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function nameProblem(name: string, platform: string): string | undefined {
  if (name === "") return "an absolute path, or an empty name in it";
  if (name === "." || name === "..") return `a name \`${name}\` in it`;
  if (name.includes("\0")) return "a NUL in a name";
  if (name.includes("\\")) return "a backslash in a name";
  if (/^[A-Za-z]:$/.test(name)) return "a drive letter";
  if (!name.isWellFormed() || name.includes("\u{fffd}")) return "a name that is not Unicode";
  if (name.length > maxNameBytes || Buffer.byteLength(name) > maxNameBytes) {
    return `a name longer than ${maxNameBytes} bytes`;
  }
  if (platform === "win32" && windowsNames.test(name)) return "a name that Windows cannot have";
  return undefined;
}

/**
 * Why a symbolic link at `path` cannot have this target, or undefined. The target is relative, and `..` stands only in front:
 * those lead through the folders above the link, which are real ones, so that nothing leads out by way of another link.
 */
export function linkProblem(path: string, target: string): string | undefined {
  if (target === "") return "an empty link";
  if (target.includes("\0")) return "a NUL in a link";
  if (target.includes("\\")) return "a backslash in a link";
  if (Buffer.byteLength(target) > maxPathBytes) return `a link longer than ${maxPathBytes} bytes`;
  if (!target.isWellFormed()) return "a link that is not Unicode";
  if (target.startsWith("/") || /^[A-Za-z]:/.test(target))
    return `a link to an absolute path (${target})`;
  const segments = target.split("/").filter((segment) => segment !== "" && segment !== ".");
  const down = segments.findIndex((segment) => segment !== "..");
  const ups = down < 0 ? segments.length : down;
  if (segments.slice(ups).includes("..")) return `a link that goes down and up again (${target})`;
  if (ups > path.split("/").length - 1) return `a link that leaves the workspace (${target})`;
  return undefined;
}

/** Equal for names that a case-insensitive or normalising file system takes for the same. */
export function collisionKey(path: string): string {
  if (asciiOnly.test(path)) return path.toLowerCase();
  // Upper case first: it unfolds letters like ß and ﬁ, as full case folding does.
  return path.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

/** What is wrong with a list of entries. */
export interface EntryProblem {
  readonly path: string;
  readonly reason: string;
}

/**
 * The first problem of a list of entries, or undefined: each path and link by itself, paths that collide, and paths below
 * something that is not a folder. Whether they are declared outputs is for the restore to see.
 */
export function entriesProblem(
  entries: readonly OutputEntry[],
  platform: string = process.platform,
): EntryProblem | undefined {
  if (sound.has(entries) && platform === process.platform) return undefined;
  const problem = firstProblem(entries, platform);
  if (problem === undefined && platform === process.platform) sound.add(entries);
  return problem;
}

/** Lists without a problem: that of a result is looked at when it is parsed, and again before it is restored. */
const sound = new WeakSet<readonly OutputEntry[]>();

function firstProblem(entries: readonly OutputEntry[], platform: string): EntryProblem | undefined {
  const byKey = new Map<string, OutputEntry>();
  for (const entry of entries) {
    const { path } = entry;
    const problem =
      pathProblem(path, platform) ??
      (entry.kind === "symlink" ? linkProblem(path, entry.target) : undefined);
    if (problem !== undefined) return { path, reason: problem };
    const key = collisionKey(path);
    const other = byKey.get(key);
    if (other !== undefined) return { path, reason: collision(path, other.path) };
    byKey.set(key, entry);
  }
  const seen = new Set<string>();
  for (const { path } of entries) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const above = path.slice(0, end);
      // Its own folders were looked at with it.
      if (seen.has(above)) break;
      seen.add(above);
      const entry = byKey.get(collisionKey(above));
      if (entry === undefined) continue;
      if (entry.path !== above) return { path, reason: collision(above, entry.path) };
      if (entry.kind !== "directory") {
        return { path, reason: `a path below the ${entry.kind} ${above}` };
      }
    }
  }
  return undefined;
}

function collision(path: string, other: string): string {
  return path === other
    ? "a path that is there twice"
    : `a name that some file systems take for another one's (${other})`;
}
