import { createTurns } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";
import {
  type ActionResult,
  decodeMessage,
  type Directory,
  DirectorySchema,
  TreeSchema,
} from "@cuenv/reapi/messages";
import { GrpcError } from "../grpc/grpc-status.ts";
import { referenceOfWire } from "./wire-digest.ts";

/** What a result needs. */
export interface ResultReferences {
  /** Files, streams, Trees and Directories, and what is in these; none twice. */
  readonly blobs: readonly Digest[];
  /** False: a Tree or Directory is not here, so that nobody knows what is in it. */
  readonly isWhole: boolean;
}

/** The bytes of a blob; undefined: it is not here. */
export type ReadBlob = (digest: Digest) => Promise<Uint8Array | undefined>;

/** No result names more blobs. */
const maxReferences = 500_000;

interface Walk {
  readonly read: ReadBlob;
  readonly blobs: Map<string, Digest>;
  isWhole: boolean;
}

/** @throws {GrpcError} INVALID_ARGUMENT for what is no digest, Tree or Directory; RESOURCE_EXHAUSTED */
export async function resultReferences(
  result: ActionResult,
  read: ReadBlob,
): Promise<ResultReferences> {
  const walk: Walk = { read, blobs: new Map(), isWhole: true };
  for (const file of result.outputFiles) add(walk, referenceOfWire(file.digest, file.path));
  for (const digest of [result.stdoutDigest, result.stderrDigest])
    if (digest !== undefined) add(walk, referenceOfWire(digest, "a stream"));
  for (const { path, treeDigest, rootDirectoryDigest } of result.outputDirectories) {
    if (treeDigest !== undefined) await addTree(walk, referenceOfWire(treeDigest, path));
    if (rootDirectoryDigest !== undefined)
      await addDirectories(walk, referenceOfWire(rootDirectoryDigest, path));
  }
  return { blobs: [...walk.blobs.values()], isWhole: walk.isWhole };
}

function add({ blobs }: Walk, digest: Digest): boolean {
  const name = `${digest.hash}/${digest.sizeBytes}`;
  if (digest.sizeBytes === 0 || blobs.has(name)) return false;
  if (blobs.size >= maxReferences)
    throw new GrpcError("RESOURCE_EXHAUSTED", `the result names more than ${maxReferences} blobs`);
  blobs.set(name, digest);
  return true;
}

async function addTree(walk: Walk, digest: Digest): Promise<void> {
  if (!add(walk, digest)) return;
  const bytes = await walk.read(digest);
  if (bytes === undefined) return void (walk.isWhole = false);
  const { root, children } = decoded(() => decodeMessage(TreeSchema, bytes), digest, "Tree");
  for (const directory of root === undefined ? children : [root, ...children])
    addFiles(walk, directory);
}

async function addDirectories(walk: Walk, root: Digest): Promise<void> {
  const queue = add(walk, root) ? [root] : [];
  const turn = createTurns();
  for (const digest of queue) {
    await turn();
    const bytes = await walk.read(digest);
    if (bytes === undefined) {
      walk.isWhole = false;
      continue;
    }
    const directory = decoded(() => decodeMessage(DirectorySchema, bytes), digest, "Directory");
    addFiles(walk, directory);
    for (const child of directory.directories) {
      const below = referenceOfWire(child.digest, child.name);
      if (add(walk, below)) queue.push(below);
    }
  }
}

function addFiles(walk: Walk, { files }: Directory): void {
  for (const file of files) add(walk, referenceOfWire(file.digest, file.name));
}

function decoded<Message>(read: () => Message, { hash }: Digest, what: string): Message {
  try {
    return read();
  } catch (cause) {
    throw new GrpcError("INVALID_ARGUMENT", `blob ${hash} is no ${what}`, cause);
  }
}
