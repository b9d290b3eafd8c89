/**
 * How a file looks that was written and marked. The stat of a young file does not vouch for its content (racy-stat.ts): a write in the same tick of the kernel's clock leaves the same times. So
 * who writes it sets its mtime back by more than a tick: no later write can leave this one.
 */
export interface WriteMark {
  /** What the file was given (ms). */
  readonly mtimeMs: number;
  /** The clock when it was in its place (ms). Its ctime is not later: who writes to it afterwards and gives it the mtime of before cannot set that one. */
  readonly untilMs: number;
}

/** Kernel ticks are at most 10 ms (ms). */
const moreThanATick = 12;
/** Node writes a time as a number of seconds, with steps of a quarter of this (ms). */
const rounding = 0.001;

/**
 * An mtime for files that are about to be written. Its fraction is random, so that two writers of one moment have two of them; and it is none near 0 or 1, so that a file system
 * that does not count so finely gives another one back, which is no mark.
 */
export function markedMtimeMs(nowMs: number): number {
  return Math.floor(nowMs) - moreThanATick + 0.1 + 0.8 * Math.random();
}

/** Whether these are the times of a file as it was written. Its size is for the caller to compare. */
export function bearsMark(
  times: { readonly mtimeMs: number; readonly ctimeMs: number },
  { mtimeMs, untilMs }: WriteMark,
): boolean {
  return Math.abs(times.mtimeMs - mtimeMs) < rounding && times.ctimeMs <= untilMs;
}
