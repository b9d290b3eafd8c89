import { RemoteError } from "./remote-error.ts";

/** At most so many at once. */
export interface Slots {
  /**
   * Runs when there is a place, in the order of the calls; who reads goes before who writes, and while anybody writes there is a place left for who reads:
   * tasks wait for what is read, and nobody for what is sent.
   * @throws {RemoteError} DEADLINE_EXCEEDED when who reads got no place in time; the signal's reason, while it waits
   */
  run<Value>(place: Place, step: () => Promise<Value>): Promise<Value>;
}

export interface Place {
  readonly access: "read" | "write";
  /** Who reads waits no longer for a place (ms). */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

interface Waiting {
  readonly isWrite: boolean;
  readonly admit: () => void;
}

export function createSlots(count: number): Slots {
  const maxWrites = Math.max(1, count - 1);
  let used = 0;
  let writes = 0;
  const waiting: Waiting[] = [];
  const take = (isWrite: boolean): boolean => {
    if (used >= count || (isWrite && writes >= maxWrites)) return false;
    used += 1;
    if (isWrite) writes += 1;
    return true;
  };
  const admit = (isWrite: boolean): boolean => {
    const index = waiting.findIndex((each) => each.isWrite === isWrite);
    const next = waiting[index];
    if (next === undefined || !take(isWrite)) return false;
    waiting.splice(index, 1);
    next.admit();
    return true;
  };
  const leave = (isWrite: boolean): void => {
    used -= 1;
    if (isWrite) writes -= 1;
    if (!admit(false)) admit(true);
  };
  const wait = ({ access, timeoutMs, signal }: Place): Promise<void> =>
    new Promise((resolve, reject) => {
      const isWrite = access === "write";
      const over = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
      const me: Waiting = {
        isWrite,
        admit: () => {
          over();
          resolve();
        },
      };
      const giveUp = (error: unknown): void => {
        over();
        waiting.splice(waiting.indexOf(me), 1);
        reject(error);
      };
      const abort = (): void => giveUp(signal?.reason);
      const late = (): void =>
        giveUp(
          new RemoteError(
            "DEADLINE_EXCEEDED",
            `${count} other requests were not done within ${timeoutMs / 1000} s`,
          ),
        );
      const timer = isWrite ? undefined : setTimeout(late, timeoutMs);
      signal?.addEventListener("abort", abort, { once: true });
      waiting.push(me);
    });
  return {
    async run(place, step) {
      place.signal?.throwIfAborted();
      const isWrite = place.access === "write";
      if (!take(isWrite)) await wait(place);
      try {
        return await step();
      } finally {
        leave(isWrite);
      }
    },
  };
}
