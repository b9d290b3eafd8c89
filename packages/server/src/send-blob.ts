import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { BlobStore } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";

/**
 * Sends a blob as the body of an answer whose head is ready. Every byte was hashed: a small blob before the first is sent, a large one
 * before the last (its client sees a body that was cut, which is a miss to it, and never a wrong one that is whole).
 * @returns false when the blob is gone or damaged and nothing was sent.
 */
export async function sendBlob(
  response: ServerResponse,
  blobs: BlobStore,
  digest: Digest,
  signal: AbortSignal,
): Promise<boolean> {
  const whole = readWhole(blobs, digest);
  if (whole !== undefined) {
    response.end(whole);
    return true;
  }
  let isBegun = false;
  try {
    for await (const chunk of blobs.read(digest, { signal })) {
      if (response.destroyed) return true;
      isBegun = true;
      // A view of a buffer that the store may use again is not its reader's to keep; those of a stream are.
      if (!response.write(chunk)) await drained(response, signal);
    }
  } catch (error) {
    if (isBegun) {
      response.destroy();
      return true;
    }
    if (isGone(error)) return false;
    throw error;
  }
  response.end();
  return true;
}

/** Whether a blob is there and undamaged, read to its end where `sendBlob` would find out too late: for clients to whom a body that is cut is an error. */
export async function isSound(
  blobs: BlobStore,
  digest: Digest,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    for await (const _chunk of blobs.read(digest, { signal })) continue;
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

function readWhole(blobs: BlobStore, digest: Digest): Uint8Array | undefined {
  try {
    return blobs.readSync?.(digest);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Absent, or found damaged, which comes to the same. */
export function isGone(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "CAS_BLOB_NOT_FOUND" || code === "CAS_BLOB_CORRUPT";
}

/** Or the client is gone, which the next write finds out. */
async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  if (response.destroyed) return;
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  try {
    await Promise.race([
      once(response, "drain", { signal: either }),
      once(response, "close", { signal: either }),
    ]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    stop.abort();
  }
}
