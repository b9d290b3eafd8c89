import { assertDigest, type DigestFunction } from "@cuenv/digest";
import type { BlobMembers } from "./blob-members.ts";
import { assertNamespace } from "./disk-layout.ts";

/** Members of a store in memory: for as long as the process lives. */
export function createMemoryBlobMembers(digestFunction: DigestFunction): BlobMembers {
  const hashes = new Map<string, Set<string>>();
  return {
    digestFunction,
    async missing(namespaces, digests) {
      for (const namespace of namespaces) assertNamespace(namespace);
      return digests.filter((digest) => {
        assertDigest(digest);
        return !namespaces.some((namespace) => hashes.get(namespace)?.has(digest.hash));
      });
    },
    async add(namespace, digests) {
      assertNamespace(namespace);
      const members = hashes.get(namespace) ?? new Set();
      hashes.set(namespace, members);
      for (const digest of digests) {
        assertDigest(digest);
        members.add(digest.hash);
      }
    },
  };
}
