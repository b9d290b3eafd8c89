import type { BlobSource } from "@cuenv/cas";
import { createHasher, type Digest, type DigestFunction } from "@cuenv/digest";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chunksOf } from "./source-chunks.ts";

/** Bytes that can be read again, and their digest. */
export interface SpooledSource {
  readonly digest: Digest;
  readonly source: Uint8Array | { readonly path: string };
  /** Removes what was spooled. */
  readonly dispose: () => void;
}

/**
 * The digest of a source must be known before a byte of it can be sent: up to `maxMemoryBytes` are kept in memory, more goes to a temporary file. A file is
 * read as it is.
 * @throws what the source fails with; system errors; the signal's reason
 */
export async function spooled(
  source: BlobSource,
  digestFunction: DigestFunction,
  maxMemoryBytes: number,
  signal: AbortSignal | undefined,
): Promise<SpooledSource> {
  const hasher = createHasher(digestFunction);
  const isFile = !(source instanceof Uint8Array) && "path" in source;
  const kept: Uint8Array[] = [];
  let sizeBytes = 0;
  let file: { readonly folder: string; readonly path: string; readonly handle: number } | undefined;
  const dispose = (): void => {
    if (file !== undefined) rmSync(file.folder, { recursive: true, force: true });
  };
  try {
    for await (const chunk of chunksOf(source)) {
      signal?.throwIfAborted();
      hasher.update(chunk);
      sizeBytes += chunk.length;
      if (isFile) continue;
      kept.push(chunk);
      if (sizeBytes <= maxMemoryBytes) continue;
      file ??= openSpool();
      for (const each of kept.splice(0)) writeFully(file.handle, each);
    }
  } catch (error) {
    dispose();
    throw error;
  } finally {
    if (file !== undefined) closeSync(file.handle);
  }
  const digest = { hash: hasher.digestHex(), sizeBytes };
  if (isFile) return { digest, source, dispose };
  return {
    digest,
    source: file === undefined ? Buffer.concat(kept) : { path: file.path },
    dispose,
  };
}

function openSpool(): { folder: string; path: string; handle: number } {
  const folder = mkdtempSync(join(tmpdir(), "cuenv-upload-"));
  const path = join(folder, "blob");
  return { folder, path, handle: openSync(path, "wx", 0o600) };
}

function writeFully(handle: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;)
    written += writeSync(handle, bytes, written, bytes.length - written);
}
