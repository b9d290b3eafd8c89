import type { Digest } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import type {
  Directory,
  DirectoryNode,
  FileNode,
  SymlinkNode,
  Tree,
} from "./canonical-messages.ts";
import { assertSegment, sortUnique } from "./canonical-order.ts";
import {
  encodeMessage,
  writeBoolean,
  writeInteger,
  writeMessage,
  writeString,
} from "./wire-writer.ts";

const nameOf = (node: { readonly name: string }): string => node.name;

export function writeDigest(digest: Digest): void {
  writeString(1, digest.hash);
  writeInteger(2, digest.sizeBytes);
}

function writeFileNode(node: FileNode): void {
  assertSegment(node.name);
  writeString(1, node.name);
  writeMessage(2, node.digest, writeDigest);
  writeBoolean(4, node.executable);
}

function writeDirectoryNode(node: DirectoryNode): void {
  assertSegment(node.name);
  writeString(1, node.name);
  writeMessage(2, node.digest, writeDigest);
}

function writeSymlinkNode(node: SymlinkNode): void {
  assertSegment(node.name);
  writeString(1, node.name);
  writeString(2, node.target);
}

function writeDirectory(directory: Directory): void {
  assertDistinctNames(directory);
  for (const node of sortUnique(directory.files, nameOf, "directory")) {
    writeMessage(1, node, writeFileNode);
  }
  for (const node of sortUnique(directory.directories, nameOf, "directory")) {
    writeMessage(2, node, writeDirectoryNode);
  }
  for (const node of sortUnique(directory.symlinks, nameOf, "directory")) {
    writeMessage(3, node, writeSymlinkNode);
  }
}

/** One name is one thing: a file and a directory of the same name would be two truths. */
function assertDistinctNames({ files, directories, symlinks }: Directory): void {
  if (directories.length + symlinks.length === 0) return;
  const names = new Set<string>();
  for (const node of [...files, ...directories, ...symlinks]) {
    if (names.has(node.name)) {
      throw new CuenvError(
        "REAPI_MESSAGE_INVALID",
        `cannot encode directory: ${JSON.stringify(node.name)} is there twice`,
      );
    }
    names.add(node.name);
  }
}

function writeTree(tree: Tree): void {
  writeMessage(1, tree.root, writeDirectory);
  for (const child of tree.children) writeMessage(2, child, writeDirectory);
}

/** The canonical bytes of a `Digest` message. */
export function encodeDigest(digest: Digest): Uint8Array {
  return encodeMessage(() => writeDigest(digest));
}

/**
 * The canonical bytes of a `Directory`: three lists, each sorted by the UTF-8 bytes of its names.
 * @throws {CuenvError} REAPI_MESSAGE_INVALID when a name is not one path segment, is there twice, or is not Unicode.
 */
export function encodeDirectory(directory: Directory): Uint8Array {
  return encodeMessage(() => writeDirectory(directory));
}

/** The canonical bytes of a `Tree`; the order of `children` is the caller's. Throws as {@link encodeDirectory}. */
export function encodeTree(tree: Tree): Uint8Array {
  return encodeMessage(() => writeTree(tree));
}
