import { RemoteError } from "./remote-error.ts";

/** After so many failures in a row nothing is asked any longer … */
export const failuresToOpen = 3;
/** … for so long (ms); then one call may try. */
export const openMs: number = 30_000;

/**
 * Keeps a remote cache that does not work from costing anything: a build asks it once for each task.
 *
 * - closed: calls are made; {@link failuresToOpen} failures in a row open it. A timeout opens it at once: it has cost the user the whole of it already,
 *   and three would cost three.
 * - open: calls fail without being made, for {@link openMs}.
 * - half-open: one call is made; it closes the breaker or opens it again.
 */
export interface CircuitBreaker {
  /** @throws {RemoteError} UNAVAILABLE while it is open */
  assertClosed(): void;
  /** Before a call that is made then. @throws as `assertClosed` */
  enter(): void;
  succeeded(): void;
  failed(isTimeout: boolean): void;
  /** The call says nothing: it was broken off by who made it. */
  abandoned(): void;
  readonly isOpen: boolean;
}

export function createCircuitBreaker(now: () => number): CircuitBreaker {
  let failures = 0;
  let openUntilMs: number | undefined;
  let isProbing = false;
  const open = (): void => {
    openUntilMs = now() + openMs;
    isProbing = false;
  };
  const isOpen = (): boolean => openUntilMs !== undefined && (isProbing || now() < openUntilMs);
  const assertClosed = (): void => {
    if (isOpen())
      throw new RemoteError("UNAVAILABLE", "the remote cache failed, and is not asked for a while");
  };
  return {
    get isOpen() {
      return isOpen();
    },
    assertClosed,
    enter() {
      assertClosed();
      if (openUntilMs !== undefined) isProbing = true;
    },
    succeeded() {
      failures = 0;
      openUntilMs = undefined;
      isProbing = false;
    },
    abandoned() {
      isProbing = false;
    },
    failed(isTimeout) {
      failures += 1;
      if (isTimeout || isProbing || failures >= failuresToOpen) open();
    },
  };
}
