import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { isAbandoned, processIdentity } from "@cuenv/cas";
import { dirname } from "node:path";

/** How often a holder shows that it is alive (ms). */
export const leaseHeartbeatMs = 1_000;
/** A lease whose holder was silent for so long is taken over (ms). */
export const leaseStaleMs = 5_000;

/**
 * A lease is advice that somebody on this machine is already computing a key. Nothing depends on it: a lost, stolen or
 * stale lease costs a second execution, never a wrong result.
 *
 * It is a file, made with O_EXCL, that holds the identity of the process and, on a second line, the process id of the task once
 * that was started; its mtime is the heartbeat. Of a holder on this machine that was killed nobody waits for the heartbeat to fall
 * silent.
 */
export interface Lease {
  /** The task was started as this process. Never throws. */
  noteStart(pid: number): void;
  release(): void;
}

/** `held`: somebody else has it. `unavailable`: leases cannot be made here (a read-only folder), so go on without. */
export type LeaseAttempt =
  | { readonly kind: "acquired"; readonly lease: Lease }
  | { readonly kind: "held" }
  | { readonly kind: "unavailable" };

export function tryAcquireLease(path: string, now: () => number = Date.now): LeaseAttempt {
  const owner = processIdentity();
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch {
    return { kind: "unavailable" };
  }
  // One more try after a stale lease, not a loop: if another waiter was quicker, its lease is as good as ours.
  for (const mayTakeOver of [true, false]) {
    try {
      writeOwner(path, owner);
      return { kind: "acquired", lease: keepAlive(path, owner) };
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST"))
        return { kind: "unavailable" };
      if (!mayTakeOver || !isStale(path, now)) return { kind: "held" };
      removeQuietly(path);
    }
  }
  return { kind: "held" };
}

function writeOwner(path: string, owner: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, owner, 0, "latin1");
  } finally {
    closeSync(file);
  }
}

/** Who holds a lease, and the process that runs the task, once it was started. Undefined: it went in this moment. */
export interface LeaseHolder {
  readonly owner: string;
  readonly startedPid: number | undefined;
}

export function leaseHolder(path: string): LeaseHolder | undefined {
  try {
    const [owner = "", started = ""] = readFileSync(path, "latin1").split("\n");
    return { owner, startedPid: /^\d+ *$/.test(started) ? Number(started) : undefined };
  } catch {
    return undefined;
  }
}

/** Fixed width, so that the line of a second attempt covers that of the first. */
const startedWidth = 20;

function writeStart(path: string, owner: string, pid: number): void {
  if (leaseHolder(path)?.owner !== owner) return;
  const file = openSync(path, "r+");
  try {
    writeSync(file, `\n${pid}`.padEnd(startedWidth), owner.length, "latin1");
  } finally {
    closeSync(file);
  }
}

function isStale(path: string, now: () => number): boolean {
  try {
    const { mtimeMs } = statSync(path);
    // A heartbeat from the future is a clock that was set back: judged by its distance all the same.
    const age = Math.abs(now() - mtimeMs);
    if (age > leaseStaleMs) return true;
    const owner = leaseHolder(path)?.owner ?? "";
    // Made, and not written: its holder was killed in between, or writes it in this moment.
    return owner === "" ? age > leaseHeartbeatMs : isAbandoned(owner, mtimeMs, now());
  } catch {
    return true;
  }
}

function keepAlive(path: string, owner: string): Lease {
  const beat = (): void => {
    try {
      const time = Date.now() / 1000;
      if (leaseHolder(path)?.owner === owner) utimesSync(path, time, time);
    } catch {
      // Cleared by somebody: the lease is only advice.
    }
  };
  const timer = setInterval(beat, leaseHeartbeatMs);
  timer.unref();
  return {
    noteStart: (pid) => {
      try {
        writeStart(path, owner, pid);
      } catch {
        // Cleared by somebody, or a full disk: who waits in a circle then waits for ever, as without the note.
      }
    },
    release: () => {
      clearInterval(timer);
      try {
        if (leaseHolder(path)?.owner === owner) unlinkSync(path);
      } catch {
        // Already gone.
      }
    },
  };
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another waiter was quicker.
  }
}
