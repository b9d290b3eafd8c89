import { createMarkClock, type WriteMark } from "@cuenv/digest";
import { lstatSync, type Stats, utimesSync } from "node:fs";
import type { FileToStage } from "./stage-file.ts";

/** Of restored files, by the path of the entry. Those that have none are missing. */
export interface RestoreMarks {
  readonly files: ReadonlyMap<string, Omit<WriteMark, "untilMs">>;
  readonly untilMs: number;
}

const markClock = createMarkClock(clockNow);
/** By device: whether times come back as they were written. */
const keepsTimes = new Map<number, boolean>();

/** Marks files that were staged. Where one cannot be marked, the next run hashes it: nothing else depends on it. */
export function markFiles(files: readonly FileToStage[]): RestoreMarks["files"] {
  const marked = new Map<string, Omit<WriteMark, "untilMs">>();
  for (const { file, stat } of inOrder(files)) {
    try {
      const { mtimeMs, isMark } = markClock(stat.mtimeMs);
      if (mtimeMs !== stat.mtimeMs) utimesSync(file.target, mtimeMs / 1000, mtimeMs / 1000);
      if (isMark && isKept(stat, file.target, mtimeMs))
        marked.set(file.entry.path, { mtimeMs, inode: stat.ino });
    } catch {
      // Some network and FUSE file systems refuse it.
    }
  }
  return marked;
}

/** As they were written: threads take turns, and large ones come last. */
function inOrder(files: readonly FileToStage[]): { file: FileToStage; stat: Stats }[] {
  const written: { file: FileToStage; stat: Stats }[] = [];
  for (const file of files) {
    const stat = lstatSync(file.target, { throwIfNoEntry: false });
    if (stat !== undefined && keepsTimes.get(stat.dev) !== false) written.push({ file, stat });
  }
  return written.toSorted((left, right) => left.stat.mtimeMs - right.stat.mtimeMs);
}

function isKept({ dev }: Stats, target: string, mtimeMs: number): boolean {
  let isTrue = keepsTimes.get(dev);
  if (isTrue === undefined) {
    isTrue = Math.abs(lstatSync(target).mtimeMs - mtimeMs) < 0.0005;
    keepsTimes.set(dev, isTrue);
  }
  return isTrue;
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
  // Else it was set back since.
  const isAsBefore = Math.abs(monotonic + ahead - whole) < 1.5;
  ahead = isAsBefore ? Math.max(ahead, whole - monotonic) : whole - monotonic;
  return monotonic + ahead;
}
