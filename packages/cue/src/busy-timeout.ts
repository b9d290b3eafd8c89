/** A process that got less of the processor than this share of the limit was held up by others: a machine with nothing else to do gives it nearly all. */
const leastShare = 0.9;
/** However little it got: the waits together are no longer than so many times the limit. */
const mostTimes = 6;
/** The shortest further wait, as a share of the limit. */
const shortestWait = 0.1;

/** How long the processor worked for this process, all threads (ms). */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Calls `onTimeout` after `timeoutMs` in which this process could work. On a machine with more to do than it can (twenty cold runs
 * of a CI at once), or one that slept, the clock alone would end what took a fraction of that: such time is given again, up to a bound.
 * Gives what calls it off.
 */
export function busyTimeout(
  timeoutMs: number,
  onTimeout: () => void,
  workedMs: () => number = processorMs,
): () => void {
  const before = workedMs();
  let waitedMs = timeoutMs;
  let timer = setTimeout(check, timeoutMs);
  function check(): void {
    const worked = workedMs() - before;
    const leftMs = timeoutMs * mostTimes - waitedMs;
    if (leftMs <= 0 || worked >= timeoutMs * leastShare) return onTimeout();
    const nextMs = Math.min(leftMs, Math.max(timeoutMs - worked, timeoutMs * shortestWait));
    waitedMs += nextMs;
    timer = setTimeout(check, nextMs);
  }
  return () => clearTimeout(timer);
}
