/** How old a file must be for its stat to vouch for its content, where the file system counts time finely (ms). Kernel ticks are at most 10 ms. */
const fineGrainMs = 100;
/** The same where it may count in whole seconds, or pairs of them (FAT) (ms). */
const coarseGrainMs = 2_500;

/**
 * Whether a file with these times could have been changed again, after it was looked at, without its stat
 * changing: the racy-mtime problem. `lookedAtMs` is taken before the file was read. A time in the future is
 * always racy. A fraction below one millisecond shows that the file system does not count in seconds.
 */
export function isRacy(
  times: { readonly mtimeMs: number; readonly ctimeMs: number },
  lookedAtMs: number,
): boolean {
  const fine = times.mtimeMs % 1 !== 0 && times.ctimeMs % 1 !== 0;
  const youngest = Math.max(times.mtimeMs, times.ctimeMs);
  return lookedAtMs - youngest < (fine ? fineGrainMs : coarseGrainMs);
}
