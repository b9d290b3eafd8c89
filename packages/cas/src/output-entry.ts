import type { Digest } from "@cuenv/digest";

/**
 * One path of a result. `path` is relative to the workspace root, `/`-separated, in the bytes of the file
 * system; a list of entries is sorted by UTF-8 bytes of the path and names every directory above it, up to the
 * declared output that it belongs to (so that empty directories survive).
 */
export type OutputEntry =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly digest: Digest;
      readonly executable: boolean;
    }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  | { readonly kind: "directory"; readonly path: string };
