import type { BlobStore } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";

/**
 * A whole blob in memory, verified.
 * @throws {CuenvError} as `BlobStore.read`; CAS_BLOB_NOT_FOUND too when it is larger than `maxBytes`
 */
export async function readBlob(
  blobs: BlobStore,
  digest: Digest,
  maxBytes: number,
): Promise<Uint8Array> {
  if (digest.sizeBytes > maxBytes) {
    throw new CuenvError(
      "CAS_BLOB_NOT_FOUND",
      `cannot read blob ${digest.hash}: ${digest.sizeBytes} bytes are more than ${maxBytes}`,
    );
  }
  const whole = blobs.readSync?.(digest);
  if (whole !== undefined) return whole;
  const chunks: Uint8Array[] = [];
  for await (const chunk of blobs.read(digest)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
