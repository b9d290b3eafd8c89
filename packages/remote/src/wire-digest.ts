import type { Digest } from "@cuenv/digest";

/** As messages have it. */
export function wireDigest({ hash, sizeBytes }: Digest): { hash: string; sizeBytes: bigint } {
  return { hash, sizeBytes: BigInt(sizeBytes) };
}
