import { create } from "@bufbuild/protobuf";
import { entryReferences, openEnvelope, type TaskResult } from "@cuenv/action-cache";
import type { OutputEntry } from "@cuenv/cas";
import { compareUtf8, type Digest, type DigestFunction, hashBytes } from "@cuenv/digest";
import { buildMerkleTree } from "@cuenv/reapi";
import { type ActionResult, ActionResultSchema } from "@cuenv/reapi/messages";
import { wireDigest } from "./wire-digest.ts";

/*
 * How an entry of cuenv is an ActionResult of the Remote Execution API (docs/decisions/0102). The entry itself, signatures and all, is in
 * `execution_metadata.auxiliary_metadata`, which servers keep as it is, and is all that cuenv reads. The rest tells the server, and other tools, what belongs
 * to it: so a server that looks whether everything is there, or keeps what was used, does that for all blobs of an entry.
 */

/** Type of an Any that is an entry's bytes; that is the Digest of a blob that is; and of a result that was deleted. */
export const entryType = "type.googleapis.com/cuenv.v1.Entry";
export const entryBlobType = "type.googleapis.com/cuenv.v1.EntryBlob";
export const deletedType = "type.googleapis.com/cuenv.v1.Deleted";

/** What no task of cuenv can have as an output, for blobs that belong to an entry and are none. */
const ownFolder = ".cuenv";

export interface Blob {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

export interface EntryResult {
  /** Without the entry. */
  readonly result: ActionResult;
  /** Trees: to be uploaded before the result, as what the entry names was already. */
  readonly blobs: readonly Blob[];
}

/** The ActionResult that stands for an entry; of bytes that are no entry, an empty one. */
export function entryResult(entry: Uint8Array, digestFunction: DigestFunction): EntryResult {
  const opened = openEnvelope(entry);
  if (opened.kind === "entry") return taskResult(opened.result, digestFunction);
  const references = entryReferences(entry) ?? [];
  const outputFiles = references.map((digest, index) => ownFile(`blob-${index}`, digest));
  return { result: create(ActionResultSchema, { outputFiles }), blobs: [] };
}

function taskResult(task: TaskResult, digestFunction: DigestFunction): EntryResult {
  const { roots, loose } = grouped(task.outputs);
  const trees = [...roots].map(([path, below]) => ({
    path,
    ...treeOf(path, below, digestFunction),
  }));
  const started = Date.parse(task.startedAt);
  const result = create(ActionResultSchema, {
    exitCode: task.exitCode,
    outputFiles: [
      ...loose.flatMap((entry) =>
        entry.kind === "file"
          ? [{ path: entry.path, digest: wireDigest(entry.digest), isExecutable: entry.executable }]
          : [],
      ),
      ...(task.keyInputs === null ? [] : [ownFile("key-inputs.json", task.keyInputs)]),
    ],
    outputSymlinks: loose.flatMap((entry) =>
      entry.kind === "symlink" ? [{ path: entry.path, target: entry.target }] : [],
    ),
    outputDirectories: trees.map(({ path, tree }) => ({
      path,
      treeDigest: wireDigest(tree.digest),
      isTopologicallySorted: true,
    })),
    ...(task.stdout === null ? {} : { stdoutDigest: wireDigest(task.stdout) }),
    ...(task.stderr === null ? {} : { stderrDigest: wireDigest(task.stderr) }),
    executionMetadata: {
      worker: `cuenv ${task.builder.version} ${task.builder.id}`,
      executionStartTimestamp: timestamp(started),
      executionCompletedTimestamp: timestamp(started + task.durationMs),
    },
  });
  return { result, blobs: trees.map(({ tree }) => tree) };
}

/** The file that the server keeps with a result, under a name that is no output's. */
export function ownFile(
  name: string,
  digest: Digest,
): { path: string; digest: { hash: string; sizeBytes: bigint } } {
  return { path: `${ownFolder}/${name}`, digest: wireDigest(digest) };
}

/** Folders that are outputs, with what is in them, and the outputs that are in none. */
function grouped(outputs: readonly OutputEntry[]): {
  readonly roots: ReadonlyMap<string, OutputEntry[]>;
  readonly loose: readonly OutputEntry[];
} {
  const roots = new Map<string, OutputEntry[]>();
  const loose: OutputEntry[] = [];
  for (const entry of outputs.toSorted((left, right) => compareUtf8(left.path, right.path))) {
    const root = [...roots.keys()].find((path) => entry.path.startsWith(`${path}/`));
    if (root !== undefined) roots.get(root)?.push(entry);
    else if (entry.kind === "directory") roots.set(entry.path, []);
    else loose.push(entry);
  }
  return { roots, loose };
}

/** A Tree message: the root (1), then every other directory once (2), parents before children. */
function treeOf(
  path: string,
  below: readonly OutputEntry[],
  digestFunction: DigestFunction,
): { readonly tree: Blob } {
  const hash = (bytes: Uint8Array): Digest => hashBytes(digestFunction, bytes);
  const nodes = below.map((entry) => ({ ...entry, path: entry.path.slice(path.length + 1) }));
  const { root, blobs } = buildMerkleTree(nodes, hash);
  const rootBytes = blobs.get(root.hash)?.bytes ?? new Uint8Array();
  const children = [...blobs.values()]
    .toReversed()
    .filter(({ digest }) => digest.hash !== root.hash);
  const parts = [field(1, rootBytes), ...children.map(({ bytes }) => field(2, bytes))];
  const bytes = Buffer.concat(parts.flat());
  return { tree: { digest: hash(bytes), bytes } };
}

/** A message in a field: tag, length, bytes. */
function field(number: number, bytes: Uint8Array): readonly Uint8Array[] {
  const head = [number * 8 + 2];
  let length = bytes.length;
  for (; length >= 0x80; length = Math.floor(length / 0x80)) head.push((length % 0x80) + 0x80);
  return [Uint8Array.from([...head, length]), bytes];
}

function timestamp(milliseconds: number): { seconds: bigint; nanos: number } {
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds: BigInt(seconds), nanos: Math.round((milliseconds - seconds * 1000) * 1e6) };
}
