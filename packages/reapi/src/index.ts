/** The caching messages of REAPI v2 that cuenv writes itself, and their canonical bytes. */
export type {
  Action,
  ActionResult,
  AnyMessage,
  Command,
  Directory,
  DirectoryNode,
  ExecutionMetadata,
  FileNode,
  NameValue,
  OutputDirectory,
  OutputFile,
  OutputSymlink,
  Platform,
  SymlinkNode,
  Tree,
} from "./canonical-messages.ts";
export { encodeActionResult } from "./encode-action-result.ts";
export { encodeAction, encodeCommand, encodePlatform } from "./encode-action.ts";
export { encodeDigest, encodeDirectory, encodeTree } from "./encode-directory.ts";
export { buildMerkleTree, type MerkleTree, type TreeNode } from "./merkle-tree.ts";
