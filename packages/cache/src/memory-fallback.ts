import { type ActionKey, type ActionStore, createMemoryActionStore } from "@cuenv/action-cache";
import { type BlobSource, type BlobStore, createMemoryBlobStore } from "@cuenv/cas";

/** What results may take in memory where the disk cannot be written (256 MiB of blobs, and of entries). */
const maxMemoryBytes = 256 * 1024 * 1024;

export interface Stores {
  readonly blobs: BlobStore;
  readonly actions: ActionStore;
}

export interface FallbackStores extends Stores {
  /** Whether something is kept in memory only, since the disk could not take it. */
  readonly isInMemory: () => boolean;
}

/**
 * The disk stores, with memory behind them for what they cannot take: a full disk or a read-only folder keeps results for
 * this process. `onFallback` is told the reason, each time.
 */
export function withMemoryFallback(
  disk: Stores,
  onFallback: (reason: string) => void,
): FallbackStores {
  let memory: Stores | undefined;
  const fallBack = (error: unknown): Stores => {
    if (!isUnavailable(error)) throw error;
    onFallback(error.message);
    const { digestFunction } = disk.blobs;
    memory ??= {
      blobs: createMemoryBlobStore({ digestFunction, maxBytes: maxMemoryBytes }),
      actions: createMemoryActionStore({ digestFunction, maxBytes: maxMemoryBytes }),
    };
    return memory;
  };
  return {
    isInMemory: () => memory !== undefined,
    blobs: fallbackBlobs(
      disk.blobs,
      () => memory?.blobs,
      (error) => fallBack(error).blobs,
    ),
    actions: fallbackActions(
      disk.actions,
      () => memory?.actions,
      (error) => fallBack(error).actions,
    ),
  };
}

function isUnavailable(error: unknown): error is Error {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "CAS_STORE_UNAVAILABLE" || code === "AC_STORE_UNAVAILABLE";
}

/**
 * What is left of a stream after the disk took a part is not the blob, so there is nothing to fall back with; and what failed may be the stream, which only
 * its error tells.
 */
function isRepeatable(source: BlobSource): boolean {
  return source instanceof Uint8Array || "path" in source;
}

function fallbackBlobs(
  disk: BlobStore,
  memory: () => BlobStore | undefined,
  fallBack: (error: unknown) => BlobStore,
): BlobStore {
  return {
    ...disk,
    missing: async (digests, signal) => {
      const kept = memory();
      const absent = kept === undefined ? digests : await kept.missing(digests, signal);
      if (absent.length === 0) return absent;
      try {
        return await disk.missing(absent, signal);
      } catch (error) {
        return fallBack(error).missing(absent, signal);
      }
    },
    read: async function* (digest, options) {
      const kept = memory();
      const absent = kept === undefined ? [digest] : await kept.missing([digest]);
      yield* kept !== undefined && absent.length === 0
        ? kept.read(digest, options)
        : disk.read(digest, options);
    },
    readSync: (digest, into) => memory()?.readSync?.(digest) ?? disk.readSync?.(digest, into),
    write: async (digest, source, signal) => {
      try {
        await disk.write(digest, source, signal);
      } catch (error) {
        if (!isRepeatable(source)) throw error;
        await fallBack(error).write(digest, source, signal);
      }
    },
    ingest: async (source, signal) => {
      try {
        return await disk.ingest(source, signal);
      } catch (error) {
        if (!isRepeatable(source)) throw error;
        return fallBack(error).ingest(source, signal);
      }
    },
    flush: async (signal) => {
      try {
        await disk.flush?.(signal);
      } catch (error) {
        fallBack(error);
      }
    },
  };
}

function fallbackActions(
  disk: ActionStore,
  memory: () => ActionStore | undefined,
  fallBack: (error: unknown) => ActionStore,
): ActionStore {
  return {
    ...disk,
    get: async (key, signal) => (await memory()?.get(key, signal)) ?? disk.get(key, signal),
    ...(disk.getChanged && {
      getChanged: async (key: ActionKey, known: string | undefined, signal?: AbortSignal) => {
        const bytes = await memory()?.get(key, signal);
        if (bytes !== undefined) return { bytes, version: undefined };
        return disk.getChanged?.(key, known, signal);
      },
    }),
    put: async (key, entry, signal) => {
      try {
        // A blob in memory makes a poor promise on the disk: once something is kept here, its entry is, too.
        await (memory() ?? disk).put(key, entry, signal);
      } catch (error) {
        await fallBack(error).put(key, entry, signal);
      }
    },
  };
}
