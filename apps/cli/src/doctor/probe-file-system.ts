import {
  chmodSync,
  copyFileSync,
  constants,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** What a file system does, tried in a folder of its own that is removed again. */
export interface FileSystemTraits {
  /** A rename puts a new file in the place of an old one. */
  readonly replacesByRename: boolean;
  /** O_EXCL: of two who make a file one is told that it is there. */
  readonly makesOnce: boolean;
  readonly keepsExecBit: boolean;
  readonly hasSymlinks: boolean;
  readonly isCaseSensitive: boolean;
  /** `e` with an accent as one character, and as two, are two names. */
  readonly keepsNameForms: boolean;
  /** The finest step in which the modification time is kept, in milliseconds. */
  readonly mtimeGrainMs: number;
  /** Copies share their blocks until one is written to. */
  readonly hasReflinks: boolean;
  /** How far the file system's clock is before ours, in milliseconds. */
  readonly clockAheadMs: number;
}

/** @throws system errors: the folder cannot be written to. */
export function probeFileSystem(parent: string, now: () => number = Date.now): FileSystemTraits {
  const folder = mkdtempSync(join(parent, ".cuenv-doctor-"));
  try {
    const file = join(folder, "a");
    writeFileSync(file, "a");
    return {
      clockAheadMs: clockAhead(folder, now),
      replacesByRename: replacesByRename(folder),
      makesOnce: !succeeds(() => writeFileSync(file, "b", { flag: "wx" })),
      keepsExecBit: keepsExecBit(file),
      hasSymlinks: hasSymlinks(folder),
      isCaseSensitive: areTwoNames(folder, "case", "CASE"),
      keepsNameForms: areTwoNames(folder, "\u00e9", "e\u0301"),
      mtimeGrainMs: mtimeGrain(file),
      hasReflinks: succeeds(() =>
        copyFileSync(file, join(folder, "copy"), constants.COPYFILE_FICLONE_FORCE),
      ),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function succeeds(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

/** Zero when the time of a new file lies between the times before and after. */
function clockAhead(folder: string, now: () => number): number {
  const path = join(folder, "clock");
  const before = now();
  writeFileSync(path, "x");
  const { mtimeMs } = statSync(path);
  const after = now();
  if (mtimeMs > after) return mtimeMs - after;
  return mtimeMs < before ? mtimeMs - before : 0;
}

function replacesByRename(folder: string): boolean {
  const [from, to] = [join(folder, "new"), join(folder, "old")];
  writeFileSync(from, "new");
  writeFileSync(to, "old");
  return (
    succeeds(() => renameSync(from, to)) &&
    readFileSync(to, "utf8") === "new" &&
    !readdirSync(folder).includes("new")
  );
}

function keepsExecBit(file: string): boolean {
  if (process.platform === "win32") return false;
  chmodSync(file, 0o700);
  const isSet = (statSync(file).mode & 0o111) !== 0;
  chmodSync(file, 0o600);
  return isSet && (statSync(file).mode & 0o111) === 0;
}

function hasSymlinks(folder: string): boolean {
  const path = join(folder, "link");
  return succeeds(() => symlinkSync("a", path)) && lstatSync(path).isSymbolicLink();
}

function areTwoNames(folder: string, left: string, right: string): boolean {
  writeFileSync(join(folder, left), "left");
  writeFileSync(join(folder, right), "right");
  return readFileSync(join(folder, left), "utf8") === "left";
}

/** A time with every digit set is written, and what comes back is looked at. */
function mtimeGrain(file: string): number {
  const written = 1_700_000_001.123_456;
  utimesSync(file, written, written);
  const { mtimeMs } = statSync(file);
  for (const grain of [0.001, 1, 10, 1000])
    if (Math.abs(mtimeMs - written * 1000) <= grain) return grain;
  return 2000;
}
