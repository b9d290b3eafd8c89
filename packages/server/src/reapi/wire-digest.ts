import { assertDigest, type Digest, digestFunctions, emptyDigest } from "@cuenv/digest";
import type { Digest as WireDigest } from "@cuenv/reapi/messages";
import { GrpcError } from "../grpc/grpc-status.ts";

/** A digest of a message. @throws {GrpcError} INVALID_ARGUMENT when it is not there, or is none */
export function digestOfWire(digest: WireDigest | undefined, what: string): Digest {
  if (digest === undefined) throw new GrpcError("INVALID_ARGUMENT", `${what} has no digest`);
  const { hash } = digest;
  const sizeBytes = Number(digest.sizeBytes);
  try {
    assertDigest({ hash, sizeBytes });
  } catch (cause) {
    throw noDigest(digest, what, cause);
  }
  return { hash, sizeBytes };
}

const emptyHashes: ReadonlySet<string> = new Set(
  digestFunctions.map((name) => emptyDigest(name).hash),
);

/** A digest that a result names. What has no bytes counts as there without a look, so it must be the empty blob. @throws as {@link digestOfWire} */
export function referenceOfWire(digest: WireDigest | undefined, what: string): Digest {
  const found = digestOfWire(digest, what);
  if (found.sizeBytes === 0 && !emptyHashes.has(found.hash)) throw noDigest(found, what);
  return found;
}

function noDigest(
  { hash, sizeBytes }: Pick<WireDigest, "hash"> & { readonly sizeBytes: bigint | number },
  what: string,
  cause?: unknown,
): GrpcError {
  const text = `${JSON.stringify(hash.slice(0, 80))}/${sizeBytes}`;
  return new GrpcError("INVALID_ARGUMENT", `${what}: ${text} is no digest`, cause);
}

/** As messages have it. */
export function wireDigest({ hash, sizeBytes }: Digest): {
  readonly hash: string;
  readonly sizeBytes: bigint;
} {
  return { hash, sizeBytes: BigInt(sizeBytes) };
}
