import { type Digest, type DigestFunction, type FileIndex, hashBytes } from "@cuenv/digest";
import { buildMerkleTree, type MerkleTree } from "@cuenv/reapi";
import { hash } from "node:crypto";
import { assertReachable, digestOfInput, targetOfInput } from "./hash-input-files.ts";
import type { InputMemo } from "./input-memo.ts";
import type { InputNode } from "./key-inputs.ts";
import { type DependencyOutputs, mergeDependencyOutputs } from "./merge-dependency-outputs.ts";

export interface InputSetRequest {
  readonly index: FileIndex;
  readonly digestFunction: DigestFunction;
  /** The files of the task's selection. */
  readonly files: readonly string[];
  /** What an {@link FileLook} found of them, in their order. Default: they are looked at, at a stretch. */
  readonly seen?: SeenFiles | undefined;
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
  readonly ownNodes: () => readonly InputNode[];
  /** All nodes, sorted by path. */
  readonly nodes: () => readonly InputNode[];
  /** Path → task, for what is the output of a dependency. */
  readonly producers: () => Readonly<Record<string, string>>;
  readonly tree: () => MerkleTree;
}

/**
 * Hashes a task's files and puts the outputs of its dependencies among them (see {@link mergeDependencyOutputs}).
 * @throws {CuenvError} KEY_INPUT_UNREADABLE, DIGEST_FILE_CHANGED, KEY_GLOB_INVALID, REAPI_MESSAGE_INVALID
 */
export function createInputSet(request: InputSetRequest): InputSet {
  const seen = request.seen ?? lookAt(request.index, request.files);
  const ownNodes = once(() => toNodes(request.files, seen));
  const merged = once(() => mergeDependencyOutputs({ ...request, inputs: ownNodes() }));
  const tree = once(() =>
    buildMerkleTree(merged().inputs, (bytes) => hashBytes(request.digestFunction, bytes)),
  );
  return {
    root: rootOf(request, seen, tree),
    ownNodes,
    nodes: () => merged().inputs,
    producers: () => merged().producers,
    tree,
  };
}

/** Files as they were found, without an object for each: a hit of 200 tasks looks at 5,000. */
export interface SeenFiles {
  /** A file's digest, a link's target; undefined for what is not there. In the order of the paths. */
  readonly contents: readonly (Digest | string | undefined)[];
  /** Places of executable files. */
  readonly executable: readonly number[];
}

/** For who lets others have a turn between files. */
export interface FileLook {
  readonly seen: SeenFiles;
  /** Looks at one file, and hashes it where it must be. @throws {CuenvError} KEY_INPUT_UNREADABLE, DIGEST_FILE_CHANGED */
  readonly add: (path: string) => void;
}

export function createFileLook(index: FileIndex): FileLook {
  const contents: (Digest | string | undefined)[] = [];
  const executable: number[] = [];
  const add = (path: string): void => {
    const stat = index.stat(path);
    if (stat?.kind === "file") {
      if (stat.executable) executable.push(contents.length);
      contents.push(digestOfInput(index, path));
    } else {
      if (stat === undefined) assertReachable(index, path);
      contents.push(stat?.kind === "symlink" ? targetOfInput(index, path) : undefined);
    }
  };
  return { seen: { contents, executable }, add };
}

function lookAt(index: FileIndex, paths: readonly string[]): SeenFiles {
  const { seen, add } = createFileLook(index);
  for (const path of paths) add(path);
  return seen;
}

function toNodes(paths: readonly string[], seen: SeenFiles): InputNode[] {
  const executable = new Set(seen.executable);
  const nodes: InputNode[] = [];
  for (const [at, path] of paths.entries()) {
    const content = seen.contents[at];
    if (typeof content === "string") nodes.push({ kind: "symlink", path, target: content });
    else if (content !== undefined) {
      nodes.push({ kind: "file", path, digest: content, executable: executable.has(at) });
    }
  }
  return nodes;
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

function rootOf(request: InputSetRequest, seen: SeenFiles, tree: () => MerkleTree): Digest {
  const { memo } = request;
  if (memo === undefined) return tree().root;
  const identity = identityOf(request, seen);
  const known = memo.root(identity);
  if (known !== undefined) return known;
  const { root } = tree();
  memo.rememberRoot(identity, root);
  return root;
}

/**
 * Names the question "which root do these inputs give". Paths and links end with NUL, which neither contains, and
 * hashes have one length, so different inputs give different texts.
 */
function identityOf(request: InputSetRequest, seen: SeenFiles): string {
  let text = `${request.digestFunction}\0${request.files.join("\0")}\0\0${seen.executable.join()}\0`;
  for (const content of seen.contents) {
    if (typeof content === "object") text += content.hash;
    else text += content === undefined ? "-" : `>${content}\0`;
  }
  for (const { patterns, projectDirectory, nodes } of request.dependencies) {
    text += `\0${JSON.stringify([projectDirectory, patterns])}\0${recordsOf(nodes)}`;
  }
  if (request.dependencies.length > 0) {
    text += `\0${JSON.stringify([request.projectDirectory, request.ignorePatterns ?? []])}`;
  }
  return hash("sha256", text, "base64url");
}

/** The outputs of a task are inputs of all that depend on it, and their list is one object. */
const records = new WeakMap<readonly InputNode[], string>();

function recordsOf(nodes: readonly InputNode[]): string {
  let text = records.get(nodes);
  if (text === undefined) {
    text = nodes.map(record).join("");
    records.set(nodes, text);
  }
  return text;
}

function record(node: InputNode): string {
  if (node.kind === "file") {
    return `${node.path}\0${node.executable ? "x" : "f"}${node.digest.hash}`;
  }
  return node.kind === "symlink" ? `${node.path}\0>${node.target}\0` : `${node.path}\0/`;
}
