/**
 * How a file looks that was written and marked. The stat of a young file does not vouch for its content (racy-stat.ts): a write in the same tick of the kernel's clock leaves the same times. So
 * who writes it gives it an mtime that no later write can leave, and nothing else has.
 */
export interface WriteMark {
  /** What the file was given (ms). */
  readonly mtimeMs: number;
  /** A folder that is renamed takes its files along with their times. */
  readonly inode: number;
  /** The clock when it was in its place (ms). Its ctime is not later: who writes to it afterwards and gives it the mtime of before cannot set that one. */
  readonly untilMs: number;
}

/** Node writes a time as a number of seconds, in steps of half of this (ms). */
const rounding = 0.0005;

/** Whether this is the stat of a file as it was written. Its size is for the caller to compare. */
export function bearsMark(
  stat: { readonly mtimeMs: number; readonly ctimeMs: number; readonly inode: number },
  { mtimeMs, inode, untilMs }: WriteMark,
): boolean {
  return (
    Math.abs(stat.mtimeMs - mtimeMs) < rounding && stat.inode === inode && stat.ctimeMs <= untilMs
  );
}

/** `isMark`: no later write can leave this mtime. If not, it is just no earlier than those that were given before. */
export interface GivenMtime {
  readonly mtimeMs: number;
  readonly isMark: boolean;
}

/** Between two marks, and between a mark and what a write could leave (ms). */
const step = 0.001;
/** A mark is at most so much later than the one before (ms): a hundred files have room in a tick. */
const spread = 0.01;
/** Ticks of the kernel's clock are no shorter (ms). */
const shortestTick = 1;
/** Until a clock that counts whole milliseconds shows that it is later than a file's mtime (ns). */
const maxWaitNs = 2_000_000n;

/**
 * Gives mtimes for files that were written, one after the other.
 *
 * A write leaves the kernel's clock at its last tick, or where the file system counts more finely (APFS; Linux from 6.13 on, for a file that was looked at in between), the very moment. So what lies behind the mtime that the
 * writing left, before the next tick could be, and before now, is left by none that comes later. And it is later than all that was written before: an output stays newer than what it was made of.
 * @param now the clock (ms), not later than it is
 */
export function createMarkClock(now: () => number): (writtenMs: number) => GivenMtime {
  let last = 0;
  let isLate = false;
  return (writtenMs) => {
    const isInThisTick = last > writtenMs && last < writtenMs + shortestTick;
    const lowest = (isInThisTick ? last : writtenMs) + step;
    const nowMs = isLate ? now() : nowAfter(lowest + 2 * step, now);
    // Then it is not the clock that the file system goes by, and not waited for again.
    isLate ||= nowMs < lowest;
    const highest = Math.min(writtenMs + shortestTick, nowMs) - step;
    // Whole milliseconds: a file system that counts no more finely.
    const isMark = lowest <= highest && writtenMs % 1 !== 0;
    const room = Math.min(spread, highest - lowest);
    last = isMark ? lowest + room * Math.random() : Math.max(writtenMs, isInThisTick ? last : 0);
    return { mtimeMs: last, isMark };
  };
}

function nowAfter(ms: number, now: () => number): number {
  const nowMs = now();
  if (nowMs >= ms) return nowMs;
  const until = process.hrtime.bigint() + maxWaitNs;
  while (now() < ms && process.hrtime.bigint() < until);
  // Once more: this process may have had to wait for a processor.
  return now();
}
