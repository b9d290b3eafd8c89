import type { FileIndex } from "./file-index.ts";
import { hashFileInTurns } from "./hash-file.ts";

/** Files of this size and more (32 MiB, 20 to 60 ms of hashing) are not hashed at a stretch. */
export const largeFileBytes: number = 32 * 1024 * 1024;

/**
 * Has the index know the digests of those files that are large, so that whoever asks for them next gets them at once: the index hashes at a stretch, and 5 GB are three seconds
 * without an ear for a signal and without a heartbeat of a lease. What cannot be hashed is left to who comes next, and says why.
 * @param pause asked before each file, and after each piece of a large one; a promise is awaited
 * @throws the signal's reason
 */
export async function hashLargeFiles(
  index: FileIndex,
  paths: Iterable<string>,
  {
    pause,
    signal,
  }: {
    readonly pause: () => Promise<void> | undefined;
    readonly signal: AbortSignal | undefined;
  },
): Promise<void> {
  for (const path of paths) {
    try {
      const others = pause();
      if (others !== undefined) await others;
      const stat = index.stat(path);
      if (stat?.kind !== "file" || stat.sizeBytes < largeFileBytes) continue;
      await index.digestBy(path, (file) => hashFileInTurns(index.digestFunction, file, pause));
    } catch {
      signal?.throwIfAborted();
    }
  }
}
