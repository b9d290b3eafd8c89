import type { Digest, DigestFunction } from "@cuenv/digest";

/**
 * Which blobs a namespace has. A store keeps a blob once, whoever stored it; what one tenant stored must not be there for another, not even as
 * the answer to "is it missing?". So whoever serves several namespaces notes what was stored in which, and asks here before it tells or gives anything.
 *
 * - A member that was added is found, or is gone (with its blob, or deleted by anyone); then its blob is stored again.
 * - A member proves that the blob was stored, not that it still is: the blob store is asked for that.
 * - All calls may run concurrently, in one process and in many. Adding twice is harmless.
 * - Errors: CAS_STORE_UNAVAILABLE.
 */
export interface BlobMembers {
  readonly digestFunction: DigestFunction;
  /** Those of `digests`, the same objects in the order given, that none of `namespaces` has. */
  missing(namespaces: readonly string[], digests: readonly Digest[]): Promise<readonly Digest[]>;
  /** Whoever adds has stored the blob before, so that no member is there without its blob. */
  add(namespace: string, digests: readonly Digest[]): Promise<void>;
}
