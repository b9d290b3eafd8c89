import { runningProcess } from "@cuenv/cas";
import { ancestorProcesses } from "./ancestor-processes.ts";
import { type Lease, leaseHolder, tryAcquireLease } from "./lease.ts";

/** How often a waiter looks (ms): at first, and at most. */
const firstPollMs = 20;
const lastPollMs = 500;
/** After this a waiter runs the task itself, lease or not (6 h). */
const maxWaitMs = 6 * 60 * 60 * 1000;

export type LeaseWait<Found> =
  /** This process computes the key; `lease` is undefined where leases cannot be made. */
  | { readonly kind: "compute"; readonly lease: Lease | undefined }
  /** Another process did, meanwhile. */
  | { readonly kind: "found"; readonly found: Found }
  /** The run that holds the lease started this process, and waits for it: neither would ever end. */
  | { readonly kind: "circle" };

/**
 * Waits until this process may compute a key, or another has. `look` is asked again whenever the lease came free.
 * `onWait` is told once, when waiting begins.
 */
export async function waitForLease<Found>(
  path: string | undefined,
  look: () => Promise<Found | undefined>,
  onWait: () => void,
  signal?: AbortSignal,
): Promise<LeaseWait<Found>> {
  if (path === undefined) return { kind: "compute", lease: undefined };
  const deadline = Date.now() + maxWaitMs;
  let waited = false;
  let ancestors: ReadonlySet<number> | undefined;
  for (let pollMs = firstPollMs; ; pollMs = Math.min(lastPollMs, pollMs * 1.5)) {
    const attempt = tryAcquireLease(path);
    if (attempt.kind !== "held") {
      const lease = attempt.kind === "acquired" ? attempt.lease : undefined;
      // Looked at once more, also without waiting: it may have been stored since the lookup.
      const found = await lookOrRelease(look, lease);
      if (found === undefined) return { kind: "compute", lease };
      lease?.release();
      return { kind: "found", found };
    }
    if (signal?.aborted === true || Date.now() > deadline)
      return { kind: "compute", lease: undefined };
    ancestors ??= ancestorProcesses();
    if (startedUs(path, ancestors)) return { kind: "circle" };
    if (!waited) onWait();
    waited = true;
    await pause(pollMs, signal);
  }
}

/**
 * Whether this process is part of the run that holds the lease. That the holder is an ancestor is not enough: it may run this key beside the
 * task that started us, and then it comes free; so the process of the task itself must be one, too.
 */
function startedUs(path: string, ancestors: ReadonlySet<number>): boolean {
  const { owner, startedPid } = leaseHolder(path) ?? {};
  if (owner === undefined || startedPid === undefined || !ancestors.has(startedPid)) return false;
  const holder = runningProcess(owner);
  return holder !== undefined && ancestors.has(holder);
}

async function lookOrRelease<Found>(
  look: () => Promise<Found | undefined>,
  lease: Lease | undefined,
): Promise<Found | undefined> {
  try {
    return await look();
  } catch (error) {
    lease?.release();
    throw error;
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}
