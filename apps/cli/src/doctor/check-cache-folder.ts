import { existsSync, readdirSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { inspectCacheFolder } from "@cuenv/cache/maintenance";
import type { CacheSettings } from "@cuenv/config";
import { formatBytes } from "../run/format-duration.ts";
import { broken, type Check, note, ok } from "./check.ts";
import { fileSystemKind } from "./file-system-name.ts";
import { type FileSystemTraits, probeFileSystem } from "./probe-file-system.ts";

/** Less than this is left at once by one build (256 MiB). */
const littleSpace = 256 * 1024 * 1024;
const fewFiles = 10_000;
/** File servers and containers are out of step by less; what is modified within it is hashed again, nothing worse. */
const skewToNoteMs = 1_000;
/** From here on ages, and so eviction and `maxAge`, are wrong. */
const brokenSkewMs = 60_000;

/** The cache folder: whose it is, what is left on its disk, what its file system does, and its clock. */
export function checkCacheFolder(
  settings: CacheSettings,
  workspaceRoot: string | undefined,
  probe: typeof probeFileSystem = probeFileSystem,
): readonly Check[] {
  const { cacheDir } = settings;
  if (!settings.enabled || settings.defaultMode === "off") {
    const why = settings.enabled ? "its mode is off" : "`enabled` is false";
    return [note("cache folder", `${cacheDir} is not used: ${why}`)];
  }
  const access = checkAccess(settings);
  if (access.status === "broken") return [access];
  const folder = nearestFolder(cacheDir);
  return [
    access,
    ...checkQuarantine(cacheDir),
    ...checkSpace(folder, settings),
    ...checkTraits(folder, cacheDir, workspaceRoot, probe),
  ];
}

function checkAccess(settings: CacheSettings): Check {
  const { cacheDir } = settings;
  const { problem, mended } = inspectCacheFolder(settings);
  if (problem !== undefined) return broken("cache folder", problem.message, problem.hint);
  const stat = statSync(cacheDir, { throwIfNoEntry: false });
  if (stat === undefined)
    return note("cache folder", `${cacheDir} is not there yet: the first run that stores makes it`);
  const mode = (stat.mode & 0o777).toString(8).padStart(3, "0");
  const owner = process.geteuid === undefined ? "" : `, mode ${mode}, of user ${stat.uid}`;
  if (mended.length > 0) return note("cache folder", mended.join("; "));
  return ok("cache folder", `${cacheDir}${owner}`);
}

/** The folder itself, or where it would be made. */
function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path));
}

function checkQuarantine(cacheDir: string): Check[] {
  let count: number;
  try {
    count = readdirSync(`${cacheDir}/v1/quarantine`).length;
  } catch {
    return [];
  }
  if (count === 0) return [];
  return [
    note(
      "quarantine",
      `${count} stored ${count === 1 ? "file was" : "files were"} found damaged or not trusted, and set apart`,
      "cuenv cache verify says whether there is more; cuenv cache clear empties it.",
    ),
  ];
}

function checkSpace(folder: string, { cacheDir, maxSizeBytes }: CacheSettings): Check[] {
  const { bavail, bsize, ffree, files, type } = statfsSync(folder);
  const free = bavail * bsize;
  const { name, isRemote, isInMemory } = fileSystemKind(type);
  const where = name === undefined ? "" : ` on ${name}`;
  const found = `${formatBytes(free)} free${where}; the cache may grow to ${formatBytes(maxSizeBytes)}`;
  const move = "Choose another folder with CUENV_CACHE_DIR or cacheDir.";
  const checks: Check[] = [];
  if (free < littleSpace)
    checks.push(
      broken("disk space", found, "Make room: cuenv cache prune --max-size 1GiB, or another disk."),
    );
  else if (free < maxSizeBytes && !existsSync(cacheDir))
    checks.push(note("disk space", found, "Lower maxSize, or choose another disk."));
  else checks.push(ok("disk space", found));
  if (files > 0 && ffree < fewFiles)
    checks.push(broken("disk space", `room for ${ffree} more files only`, move));
  if (isRemote)
    checks.push(note("network", `the cache folder lies on a network file system, ${name}`, move));
  if (isInMemory)
    checks.push(note("memory", "the cache folder lies in memory: a restart empties it", move));
  return checks;
}

function checkTraits(
  folder: string,
  cacheDir: string,
  workspaceRoot: string | undefined,
  probe: typeof probeFileSystem,
): Check[] {
  let traits: FileSystemTraits;
  try {
    traits = probe(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message =
      folder === cacheDir
        ? `cannot write to ${cacheDir}: ${reason}; results are restored, and none is stored`
        : `cannot make ${cacheDir} in ${folder}: ${reason}`;
    return [
      broken("cache folder", message, `Make it writable, or choose another with CUENV_CACHE_DIR.`),
    ];
  }
  return [...traitChecks(traits), ...checkDevice(folder, workspaceRoot), checkClock(traits)];
}

function traitChecks(traits: FileSystemTraits): Check[] {
  const lacks = [
    traits.replacesByRename ? [] : ["replaces no file by rename"],
    traits.makesOnce ? [] : ["lets two processes make one file"],
  ].flat();
  if (lacks.length > 0)
    return [
      broken(
        "file system",
        `it ${lacks.join(", and ")}: concurrent builds would damage the cache`,
        "Choose a folder on a local disk with CUENV_CACHE_DIR.",
      ),
    ];
  const partial = [
    traits.keepsExecBit ? [] : ["keeps no exec bit"],
    traits.hasSymlinks ? [] : ["has no symbolic links"],
    traits.mtimeGrainMs < 1000 ? [] : [`keeps times in steps of ${traits.mtimeGrainMs / 1000} s`],
  ].flat();
  const extras = [
    traits.isCaseSensitive ? "letter case counts" : "letter case does not count",
    traits.hasReflinks ? "copies share blocks" : "copies are whole",
  ];
  const whole = `renames replace, times in steps of ${traits.mtimeGrainMs} ms, ${extras.join(", ")}`;
  if (partial.length === 0) return [ok("file system", whole)];
  return [
    note(
      "file system",
      `it ${partial.join(", ")}`,
      "The cache works; if your workspace is on it too, results there lack the same.",
    ),
  ];
}

function checkDevice(folder: string, workspaceRoot: string | undefined): Check[] {
  if (workspaceRoot === undefined || statSync(folder).dev === statSync(workspaceRoot).dev)
    return [];
  return [
    note(
      "workspace",
      "the cache folder and the workspace are on different file systems: outputs are staged in the workspace",
    ),
  ];
}

function checkClock({ clockAheadMs }: FileSystemTraits): Check {
  const skew = Math.abs(clockAheadMs);
  if (skew < skewToNoteMs) return ok("clock", "that of the file system agrees with this machine's");
  const seconds = (skew / 1000).toFixed(skew < 10_000 ? 1 : 0);
  const found = `that of the file system is ${seconds} s ${clockAheadMs > 0 ? "ahead of" : "behind"} this machine's`;
  return skew < brokenSkewMs
    ? note("clock", found, "Files that were just written are hashed more than once until then.")
    : broken("clock", found, "Set both clocks (NTP): the ages of results are wrong.");
}
