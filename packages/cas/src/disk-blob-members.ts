import { assertDigest, type Digest, type DigestFunction } from "@cuenv/digest";
import { closeSync, constants, existsSync, openSync } from "node:fs";
import { withFolder } from "./atomic-write.ts";
import type { BlobMembers } from "./blob-members.ts";
import type { CacheFolder } from "./cache-folder.ts";
import { assertNamespace, memberPath } from "./disk-layout.ts";
import { storeUnavailable } from "./system-error.ts";

export interface DiskBlobMembersOptions {
  readonly folder: CacheFolder;
  readonly digestFunction: DigestFunction;
}

const memberFlags = constants.O_WRONLY | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);

/** Members as empty files (disk-layout.ts): one system call each, to look and to add, and nothing in them that could be torn. */
export function createDiskBlobMembers(options: DiskBlobMembersOptions): BlobMembers {
  const { folder, digestFunction } = options;
  const pathOf = (namespace: string, { hash }: Digest): string =>
    memberPath(folder.root, digestFunction, namespace, hash);
  return {
    digestFunction,
    async missing(namespaces, digests) {
      folder.assertReadable();
      for (const namespace of namespaces) assertNamespace(namespace);
      return digests.filter((digest) => {
        assertDigest(digest);
        return !namespaces.some((namespace) => existsSync(pathOf(namespace, digest)));
      });
    },
    async add(namespace, digests) {
      assertNamespace(namespace);
      folder.assertWritable();
      for (const digest of digests) {
        assertDigest(digest);
        try {
          createMember(pathOf(namespace, digest));
        } catch (error) {
          const what = `note blob ${digest.hash} in ${namespace}`;
          throw storeUnavailable(what, error, "CAS_STORE_UNAVAILABLE");
        }
      }
    },
  };
}

function createMember(path: string): void {
  withFolder(path, () => closeSync(openSync(path, memberFlags, 0o600)));
}
