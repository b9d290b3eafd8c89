import type { BlobStore } from "@cuenv/cas";
import { type DigestFunction, hashFile } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";

/** A store that says it has everything and keeps nothing: for hashing outputs, which are files, that nobody stores. */
export function createHashingStore(digestFunction: DigestFunction): BlobStore {
  const refuse = (): never => {
    throw new CuenvError("CAS_BLOB_NOT_FOUND", "cannot read a blob: outputs were only hashed");
  };
  return {
    digestFunction,
    missing: async () => [],
    read: refuse,
    write: async () => {},
    ingest: async (source) =>
      "path" in source ? hashFile(digestFunction, source.path).digest : refuse(),
  };
}
