import { type Digest, type DigestFunction, type FileIndex, hashBytes } from "@cuenv/digest";
import { buildMerkleTree, type MerkleTree } from "@cuenv/reapi";
import { hash } from "node:crypto";
import { hashInputFile } from "./hash-input-files.ts";
import type { InputMemo } from "./input-memo.ts";
import type { InputNode } from "./key-inputs.ts";
import { type DependencyOutputs, mergeDependencyOutputs } from "./merge-dependency-outputs.ts";

export interface InputSetRequest {
  readonly index: FileIndex;
  readonly digestFunction: DigestFunction;
  /** The files of the task's selection. */
  readonly files: readonly string[];
  readonly dependencies: readonly DependencyOutputs[];
  readonly projectDirectory: string;
  /** The task's `ignoreInputs`. */
  readonly ignorePatterns?: readonly string[] | undefined;
  readonly memo?: InputMemo | undefined;
}

/**
 * All inputs of a task as they were when the set was made. Only the root is computed at once, and that from a memo
 * where it can be: a hit needs nothing else. The rest is made of what was seen then, whatever happened to the files since.
 */
export interface InputSet {
  /** The digest of the root Directory. */
  readonly root: Digest;
  /** The task's own files, without outputs of dependencies. */
  ownNodes(): readonly InputNode[];
  /** All nodes, sorted by path. */
  nodes(): readonly InputNode[];
  /** Path → task, for what is the output of a dependency. */
  producers(): Readonly<Record<string, string>>;
  tree(): MerkleTree;
}

/**
 * Hashes a task's files and puts the outputs of its dependencies among them (see {@link mergeDependencyOutputs}).
 * @throws {CuenvError} KEY_INPUT_UNREADABLE, DIGEST_FILE_CHANGED, KEY_GLOB_INVALID, REAPI_MESSAGE_INVALID
 */
export function createInputSet(request: InputSetRequest): InputSet {
  const own: (InputNode | undefined)[] = [];
  for (const path of request.files) own.push(hashInputFile(request.index, path));
  const ownNodes = once(() => own.filter((node) => node !== undefined));
  const merged = once(() => mergeDependencyOutputs({ ...request, inputs: ownNodes() }));
  const tree = once(() =>
    buildMerkleTree(merged().inputs, (bytes) => hashBytes(request.digestFunction, bytes)),
  );
  return {
    root: rootOf(request, own, tree),
    ownNodes,
    nodes: () => merged().inputs,
    producers: () => merged().producers,
    tree,
  };
}

/** The set of nodes that are known already. */
export function inputSetOf(
  inputs: readonly InputNode[],
  producers: Readonly<Record<string, string>>,
  digestFunction: DigestFunction,
): InputSet {
  const tree = buildMerkleTree(inputs, (bytes) => hashBytes(digestFunction, bytes));
  const nodes = (): readonly InputNode[] => inputs;
  return { root: tree.root, ownNodes: nodes, nodes, producers: () => producers, tree: () => tree };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function rootOf(
  request: InputSetRequest,
  own: readonly (InputNode | undefined)[],
  tree: () => MerkleTree,
): Digest {
  const { memo } = request;
  if (memo === undefined) return tree().root;
  const identity = identityOf(request, own);
  const known = memo.root(identity);
  if (known !== undefined) return known;
  const { root } = tree();
  memo.rememberRoot(identity, root);
  return root;
}

/**
 * Names the question "which root do these nodes give". Every record says where it ends (a path and a link's
 * text by NUL, which neither contains, a hash by its length), so different nodes give different texts.
 */
function identityOf(request: InputSetRequest, own: readonly (InputNode | undefined)[]): string {
  let text = `${request.digestFunction}\0`;
  for (const node of own) if (node !== undefined) text += record(node);
  for (const { patterns, projectDirectory, nodes } of request.dependencies) {
    text += `\0${JSON.stringify([projectDirectory, patterns])}\0${recordsOf(nodes)}`;
  }
  if (request.dependencies.length > 0) {
    text += `\0${JSON.stringify([request.projectDirectory, request.ignorePatterns ?? []])}`;
  }
  return hash("sha256", text, "base64url");
}

function record(node: InputNode): string {
  if (node.kind === "file") {
    return `${node.path}\0${node.digest.hash}${node.executable ? "x" : "-"}${node.digest.sizeBytes}\0`;
  }
  return node.kind === "symlink" ? `${node.path}\0>${node.target}\0` : `${node.path}\0/\0`;
}

/** The outputs of a task are input of all that depend on it. */
const records = new WeakMap<readonly InputNode[], string>();

function recordsOf(nodes: readonly InputNode[]): string {
  let text = records.get(nodes);
  if (text === undefined) {
    text = nodes.map(record).join("");
    records.set(nodes, text);
  }
  return text;
}
