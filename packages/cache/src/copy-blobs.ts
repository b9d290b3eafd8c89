import { type BlobStore, maxSyncReadBytes } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";

/** Blobs that are on their way at once may have so many bytes together (64 MiB); one that is larger comes alone. */
const maxUnderwayBytes = 64 * 1024 * 1024;
const maxUnderway = 2_000;

export interface CopyBlobsOptions {
  /** Those that are not there yet. */
  readonly digests: readonly Digest[];
  readonly from: BlobStore;
  readonly to: BlobStore;
  readonly signal: AbortSignal;
}

/** Same transfers of several tasks at the same time are one: by target store, then by blob. */
const underway = new WeakMap<BlobStore, Map<string, Promise<void>>>();

/**
 * Copies blobs from one store to another, many at once: a remote store makes batches of them.
 * @returns what was copied; what another call copied meanwhile is counted there
 * @throws what the stores throw; the signal's reason
 */
export async function copyBlobs(
  options: CopyBlobsOptions,
): Promise<{ readonly blobs: number; readonly bytes: number }> {
  const { digests, signal } = options;
  const running = new Set<Promise<void>>();
  let underwayBytes = 0;
  const copied: number[] = [];
  const failures: unknown[] = [];
  for (const digest of digests) {
    while (
      failures.length === 0 &&
      running.size > 0 &&
      (running.size >= maxUnderway || underwayBytes + digest.sizeBytes > maxUnderwayBytes)
    )
      await Promise.race(running);
    if (failures.length > 0) break;
    signal.throwIfAborted();
    underwayBytes += digest.sizeBytes;
    const copy: Promise<void> = once(options, digest)
      .then((isOwn) => (isOwn ? void copied.push(digest.sizeBytes) : undefined))
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        underwayBytes -= digest.sizeBytes;
        running.delete(copy);
      });
    running.add(copy);
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
  return { blobs: copied.length, bytes: copied.reduce((sum, bytes) => sum + bytes, 0) };
}

/** Whether it was this call that copied it. */
async function once(options: CopyBlobsOptions, digest: Digest): Promise<boolean> {
  const { to } = options;
  const byName = underway.get(to) ?? new Map<string, Promise<void>>();
  underway.set(to, byName);
  const name = `${digest.hash}/${digest.sizeBytes}`;
  const same = byName.get(name);
  if (same !== undefined) {
    await same;
    return false;
  }
  const copy = copyBlob(options, digest).finally(() => byName.delete(name));
  byName.set(name, copy);
  await copy;
  return true;
}

async function copyBlob({ from, to, signal }: CopyBlobsOptions, digest: Digest): Promise<void> {
  const small = from.readSync?.(digest);
  if (small !== undefined) return to.write(digest, small, signal);
  const chunks = from.read(digest, { signal });
  if (digest.sizeBytes > maxSyncReadBytes) return to.write(digest, chunks, signal);
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  await to.write(digest, parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts), signal);
}
