/**
 * The stat of a file that was written and marked. That of a young file does not vouch for its content (racy-stat.ts): a write in the same tick of the kernel's clock leaves the same times. So who
 * writes it gives it an mtime that no later write can leave.
 */
export interface WriteMark {
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  /** A folder that is renamed takes its files along with their times. */
  readonly inode: number;
}

/** Whether this is the stat of a file as it was written. Its size is for the caller to compare. */
export function bearsMark(stat: WriteMark, mark: WriteMark): boolean {
  return (
    stat.mtimeMs === mark.mtimeMs && stat.ctimeMs === mark.ctimeMs && stat.inode === mark.inode
  );
}

/** `isMark`: no later write can leave this mtime. If not, it is just no earlier than those that were given in the same tick. */
export interface GivenMtime {
  readonly mtimeMs: number;
  readonly isMark: boolean;
}

/** Between two marks, and between a mark and what a write could leave (ms): Node writes a time as a number of seconds, in steps of a quarter of this. */
const step = 0.001;
/** A mark is at most so much later than the one before (ms): a hundred files have room in a tick. */
const spread = 0.01;
/** Ticks of the kernel's clock are no shorter (ms). */
const shortestTick = 1;
/** Until a clock that counts whole milliseconds shows that it is later than a file's mtime (ns). */
const maxWaitNs = 2_000_000n;
/** Files come in the order in which they were written, but for a few ticks. */
const ticksKept = 64;

/**
 * Gives mtimes for files that were written, one after the other, each another one.
 *
 * A write leaves the kernel's clock at its last tick, or where the file system counts more finely (APFS; Linux from 6.13 on, for a file that was looked at in between), the very moment. So what lies behind the mtime that the
 * writing left, before the next tick could be, and before now, is left by none that comes later. And it is later than all that was written before that tick: an output stays newer than what it was made of.
 * @param now the clock (ms), not later than it is
 */
export function createMarkClock(now: () => number): (writtenMs: number) => GivenMtime {
  const lastOf = new Map<number, number>();
  let isAhead = false;
  return (writtenMs) => {
    const last = lastOf.get(writtenMs) ?? writtenMs;
    const lowest = last + step;
    const nowMs = isAhead ? now() : nowAfter(lowest + 2 * step, now);
    // It is the clock of the file system that is ahead then. Nobody waits for it again.
    isAhead ||= nowMs < lowest;
    const highest = Math.min(writtenMs + shortestTick, nowMs) - step;
    // Whole milliseconds: a file system that counts no more finely.
    const isMark = lowest <= highest && writtenMs % 1 !== 0;
    const room = Math.min(spread, highest - lowest);
    const mtimeMs = isMark ? lowest + room * Math.random() : last;
    lastOf.set(writtenMs, mtimeMs);
    const [oldest] = lastOf.keys();
    if (lastOf.size > ticksKept && oldest !== undefined) lastOf.delete(oldest);
    return { mtimeMs, isMark };
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
