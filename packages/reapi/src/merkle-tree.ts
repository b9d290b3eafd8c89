import type { Digest } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import type { DirectoryNode, FileNode, SymlinkNode } from "./canonical-messages.ts";
import { encodeDirectory } from "./encode-directory.ts";

/** A file, link or empty directory somewhere below the root of a tree; `path` is `/`-separated. */
export type TreeNode =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly digest: Digest;
      readonly executable: boolean;
    }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  | { readonly kind: "directory"; readonly path: string };

export interface MerkleTree {
  readonly root: Digest;
  /** The encoded `Directory` messages by their hash, children before parents, each distinct one once. */
  readonly blobs: ReadonlyMap<string, { readonly digest: Digest; readonly bytes: Uint8Array }>;
}

interface OpenDirectory {
  readonly files: FileNode[];
  readonly symlinks: SymlinkNode[];
  readonly children: Map<string, OpenDirectory>;
}

function openDirectory(): OpenDirectory {
  return { files: [], symlinks: [], children: new Map() };
}

/**
 * The tree of `Directory` messages that holds `nodes`, in any order; directories above them are made.
 * @throws {CuenvError} REAPI_MESSAGE_INVALID when a path is there twice, goes through a file, or is malformed.
 */
export function buildMerkleTree(
  nodes: readonly TreeNode[],
  hash: (bytes: Uint8Array) => Digest,
): MerkleTree {
  const root = openDirectory();
  for (const node of nodes) place(root, node);
  const blobs = new Map<string, { digest: Digest; bytes: Uint8Array }>();
  return { root: seal(root, hash, blobs), blobs };
}

function place(root: OpenDirectory, node: TreeNode): void {
  const end = node.path.lastIndexOf("/");
  if (node.kind === "directory") {
    directoryAt(root, node.path);
    return;
  }
  const parent = end < 0 ? root : directoryAt(root, node.path.slice(0, end));
  const name = node.path.slice(end + 1);
  if (node.kind === "file") {
    parent.files.push({ name, digest: node.digest, executable: node.executable });
  } else {
    parent.symlinks.push({ name, target: node.target });
  }
}

function directoryAt(root: OpenDirectory, path: string): OpenDirectory {
  let directory = root;
  if (path === "") return directory;
  for (const name of path.split("/")) {
    let child = directory.children.get(name);
    if (child === undefined) {
      child = openDirectory();
      directory.children.set(name, child);
    }
    directory = child;
  }
  return directory;
}

/** Deeper trees than this do not fit a path of 4096 bytes; the bound keeps the recursion off the stack's end. */
const maxDepth = 2_100;

function seal(
  directory: OpenDirectory,
  hash: (bytes: Uint8Array) => Digest,
  blobs: Map<string, { digest: Digest; bytes: Uint8Array }>,
  depth = 0,
): Digest {
  if (depth > maxDepth) {
    throw new CuenvError(
      "REAPI_MESSAGE_INVALID",
      `cannot encode directory: it is nested deeper than ${maxDepth} levels`,
    );
  }
  const directories: DirectoryNode[] = [];
  for (const [name, child] of directory.children) {
    directories.push({ name, digest: seal(child, hash, blobs, depth + 1) });
  }
  const bytes = encodeDirectory({
    files: directory.files,
    directories,
    symlinks: directory.symlinks,
  });
  const digest = hash(bytes);
  blobs.set(digest.hash, { digest, bytes });
  return digest;
}
