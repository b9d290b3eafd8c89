/**
 * What fails for so long (ms) is opened anew. A run of cuenv ends, and the next one asks again what was refused it; a server has no other way back from a token
 * that was not known for a moment, or from a certificate that expired and was renewed.
 */
const reopenMs = 60_000;

export type Access = "read" | "write";

interface Closable {
  close(): Promise<void>;
}

/** Something that is open, and another in its place once one of its uses has failed for a minute without working in between. */
export interface Reopening<Opened> {
  current(): Opened;
  failed(access: Access): void;
  worked(access: Access): void;
  close(): Promise<void>;
}

/** @param now a clock that only goes forward (ms) */
export function createReopening<Opened extends Closable>(
  open: () => Opened,
  now: () => number,
): Reopening<Opened> {
  let opened = open();
  /** In which something may still be under way. It is closed when its successor is replaced. */
  let before: Opened | undefined;
  let closing: Promise<void> | undefined;
  const failingSinceMs = new Map<Access, number>();
  return {
    current() {
      const sinceMs = Math.min(...failingSinceMs.values());
      if (now() - sinceMs < reopenMs || failingSinceMs.size === 0) return opened;
      failingSinceMs.clear();
      closing = before?.close();
      before = opened;
      opened = open();
      return opened;
    },
    failed(access) {
      if (!failingSinceMs.has(access)) failingSinceMs.set(access, now());
    },
    worked(access) {
      failingSinceMs.delete(access);
    },
    async close() {
      await Promise.all([closing, before?.close(), opened.close()]);
    },
  };
}
