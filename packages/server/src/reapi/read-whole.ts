import type { Digest } from "@cuenv/digest";
import { GrpcError } from "../grpc/grpc-status.ts";
import type { NamespaceBlobs } from "./namespace-blobs.ts";

/** Messages that are stored as blobs, Trees and Directories, are not larger (bytes). */
export const maxStoredMessageBytes: number = 64 * 1024 * 1024;

/** A whole blob, verified. @throws {GrpcError} NOT_FOUND, RESOURCE_EXHAUSTED when it is longer than `maxBytes`; what the store throws */
export async function readWhole(
  blobs: NamespaceBlobs,
  readable: readonly string[],
  digest: Digest,
  options: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const { maxBytes, signal } = options;
  if (digest.sizeBytes > maxBytes)
    throw new GrpcError(
      "RESOURCE_EXHAUSTED",
      `blob ${digest.hash} has ${digest.sizeBytes} bytes, more than the ${maxBytes} that are read here`,
    );
  const small = await blobs.readSmall(readable, digest);
  if (small !== undefined) return small;
  const chunks: Uint8Array[] = [];
  for await (const chunk of blobs.read(readable, digest, { signal })) chunks.push(chunk);
  return Buffer.concat(chunks);
}
