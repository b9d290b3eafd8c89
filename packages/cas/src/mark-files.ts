import { createMarkClock, type WriteMark } from "@cuenv/digest";
import { lstatSync, utimesSync } from "node:fs";
import type { FileToStage } from "./stage-file.ts";
import { createTurns } from "./take-turns.ts";

/** How restored files look, by the path of the entry. Those that were not marked are missing. */
export type RestoreMarks = ReadonlyMap<string, WriteMark>;

/** A smaller file is hashed in less time than it takes to mark it, to note it, and to find it again (32 KiB). */
const smallestMarked = 32 * 1024;
/** What the file system makes of a time: one that keeps whole milliseconds gives another one back (ms). */
const rounding = 0.0005;

const markClock = createMarkClock(clockNow);
/** Devices whose times do not come back as they were written. */
const coarseDevices = new Set<number>();

/**
 * Marks files that were staged, if that is worth it. What cannot be marked has to be hashed by the next run, no more. A file that is to be renamed by itself loses the mark, and is given its mtime all the same: so it is
 * later than one that it was made of, which was restored in the same tick.
 * @throws the signal's reason
 */
export async function markFiles(
  files: readonly FileToStage[],
  signal: AbortSignal | undefined,
): Promise<Map<string, WriteMark>> {
  const marks = new Map<string, WriteMark>();
  const turn = createTurns();
  for (const { entry, target } of files) {
    if (entry.digest.sizeBytes < smallestMarked) continue;
    const others = turn();
    if (others !== undefined) await others;
    signal?.throwIfAborted();
    const mark = markFile(target);
    if (mark !== undefined) marks.set(entry.path, mark);
  }
  return marks;
}

function markFile(path: string): WriteMark | undefined {
  try {
    const { dev, mtimeMs: writtenMs } = lstatSync(path);
    if (coarseDevices.has(dev)) return undefined;
    const { mtimeMs, isMark } = markClock(writtenMs);
    if (mtimeMs !== writtenMs) utimesSync(path, mtimeMs / 1000, mtimeMs / 1000);
    if (!isMark) return undefined;
    const mark = stampOf(path);
    if (Math.abs(mark.mtimeMs - mtimeMs) < rounding) return mark;
    coarseDevices.add(dev);
    return undefined;
  } catch {
    return undefined; // some network and FUSE file systems refuse it
  }
}

function stampOf(path: string): WriteMark {
  const { mtimeMs, ctimeMs, ino: inode } = lstatSync(path);
  return { mtimeMs, ctimeMs, inode };
}

/** What `Date.now()` was ahead of the monotonic clock, at the least (ms). */
let ahead = Number.NEGATIVE_INFINITY;

/**
 * The clock with parts of milliseconds, and never later than it is: `Date.now()` counts whole ones, and each time that it is asked shows that it is at least so late. (`performance` knows it better, and
 * takes 2.5 ms to be loaded.)
 */
function clockNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  const monotonic = seconds * 1000 + nanoseconds / 1e6;
  const whole = Date.now();
  // Else it was set since.
  const isAsBefore = Math.abs(monotonic + ahead - whole) < 1.5;
  ahead = isAsBefore ? Math.max(ahead, whole - monotonic) : whole - monotonic;
  return monotonic + ahead;
}
