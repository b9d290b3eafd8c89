import { closeSync, write } from "node:fs";

/** Whole new files that are written beside this thread. */
export interface PendingWrites {
  /**
   * Has `bytes` written to a file that was just made, and the file closed. Waits until few enough are under way.
   * @param done called once nobody reads `bytes` any longer
   * @throws what an earlier write failed with; then `file` is closed
   */
  add(file: number, bytes: Uint8Array, done: () => void): Promise<void>;
  /** Until all of them have ended. @throws what the first of them that failed failed with */
  settle(): Promise<void>;
}

/** Node has four threads for it. */
const maxUnderWay = 4;

/**
 * While the system copies one file into new pages, this thread reads and hashes the next: of a restore of 58 MB that is a tenth of the time, and a third on a machine whose
 * host must find the pages first.
 */
export function createPendingWrites(): PendingWrites {
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => {
    failure ??= { error };
  };
  // Some file systems (NFS, quotas) say only when a file is closed that it has not been written.
  const close = (file: number): void => {
    try {
      closeSync(file);
    } catch (error) {
      fail(error);
    }
  };
  // Never rejects: nobody waits for it while slower blobs are read, and Node ends a process for that.
  const writeAndClose = async (
    file: number,
    bytes: Uint8Array,
    done: () => void,
  ): Promise<void> => {
    try {
      await writeWhole(file, bytes);
    } catch (error) {
      fail(error);
    }
    close(file);
    done();
  };
  const start = (file: number, bytes: Uint8Array, done: () => void): void => {
    const writing = writeAndClose(file, bytes, done).finally(() => underWay.delete(writing));
    underWay.add(writing);
  };
  return {
    async add(file, bytes, done) {
      while (underWay.size >= maxUnderWay) await Promise.race(underWay);
      if (failure !== undefined) {
        close(file);
        done();
        throw failure.error;
      }
      start(file, bytes, done);
    },
    async settle() {
      await Promise.all(underWay);
      if (failure !== undefined) throw failure.error;
    },
  };
}

function writeWhole(file: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const writeFrom = (position: number): void => {
      write(file, bytes, position, bytes.length - position, position, (error, written) => {
        if (error !== null) reject(error);
        else if (position + written < bytes.length) writeFrom(position + written);
        else resolve();
      });
    };
    writeFrom(0);
  });
}
