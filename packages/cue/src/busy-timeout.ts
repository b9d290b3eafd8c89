/** A process that got less of the processor than this share of the time was held up by others. */
const leastShare = 0.5;
/** However little it got: no wait is longer than so many times the limit. */
const mostTimes = 6;

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
  let rounds = 0;
  let timer = setTimeout(check, timeoutMs);
  function check(): void {
    rounds += 1;
    if (rounds >= mostTimes || workedMs() - before >= timeoutMs * leastShare) onTimeout();
    else timer = setTimeout(check, timeoutMs);
  }
  return () => clearTimeout(timer);
}
