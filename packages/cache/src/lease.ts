import {
  closeSync,
  fstatSync,
  futimesSync,
  openSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { isAbandoned, processIdentity } from "@cuenv/cas";
import { makeFolders, readMemoFile } from "@cuenv/digest";
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
  // One more try after a stale lease, not a loop: if another waiter was quicker, its lease is as good as ours.
  for (const mayTakeOver of [true, false]) {
    try {
      return { kind: "acquired", lease: createLease(path) };
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST"))
        return { kind: "unavailable" };
      if (!mayTakeOver || !isStale(path, now)) return { kind: "held" };
      if (!isRemoved(path)) return { kind: "unavailable" };
    }
  }
  return { kind: "held" };
}

/**
 * Whether a stale lease is gone; another waiter may have been quicker. One that stays (in a cache folder that can only be read, or a folder in its place)
 * has no holder who could ever release it: whoever waited for it would wait for hours.
 */
function isRemoved(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT";
  }
}

/** @throws EEXIST when somebody holds it; other system errors where none can be made. */
function createLease(path: string): Lease {
  const file = createFile(path);
  try {
    const owner = processIdentity();
    writeSync(file, owner, 0, "latin1");
    return holdLease(path, file, owner.length);
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function createFile(path: string): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    makeFolders(dirname(path));
    return openSync(path, "wx", 0o600);
  }
}

/** Who holds a lease, and the process that runs the task, once it was started. Undefined: it went in this moment. */
export interface LeaseHolder {
  readonly owner: string;
  readonly startedPid: number | undefined;
}

export function leaseHolder(path: string): LeaseHolder | undefined {
  const text = readMemoFile(path, maxLeaseBytes)?.toString("latin1");
  if (text === undefined) return undefined;
  const [owner = "", started = ""] = text.split("\n");
  return { owner, startedPid: /^\d+ *$/.test(started) ? Number(started) : undefined };
}

/** No lease of ours is larger: two short lines. */
const maxLeaseBytes = 1024;

/** Fixed width, so that the line of a second attempt covers that of the first. */
const startedWidth = 20;

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

/**
 * The file stays open while the lease is held: whoever takes it over removes its name, and what is written here then reaches nobody.
 */
function holdLease(path: string, file: number, ownerBytes: number): Lease {
  const timer = setInterval(() => {
    const seconds = Date.now() / 1000;
    attempt(() => futimesSync(file, seconds, seconds));
  }, leaseHeartbeatMs);
  timer.unref();
  return {
    // On a full disk: who waits in a circle then waits for ever, as without the note.
    noteStart: (pid) =>
      attempt(() => writeSync(file, `\n${pid}`.padEnd(startedWidth), ownerBytes, "latin1")),
    release: () => {
      clearInterval(timer);
      // Without a name: it was taken over or cleared, and the name may be another's.
      attempt(() => {
        if (fstatSync(file).nlink > 0) unlinkSync(path);
      });
      attempt(() => closeSync(file));
    },
  };
}

/** A lease is only advice: what the system refuses is passed over. */
function attempt(step: () => void): void {
  try {
    step();
  } catch {
    // See above.
  }
}
