import type { BlobStore } from "@cuenv/cas";
import {
  createHasher,
  type Digest,
  type DigestFunction,
  digestFunctions,
  emptyDigest,
} from "@cuenv/digest";
import { countArtifacts } from "../count-artifacts.ts";
import type { Exchange } from "../front-end.ts";
import { findReadable } from "../find-readable.ts";
import { admit } from "../key-value/admit.ts";
import type { ArtifactOptions } from "../artifact-options.ts";
import { receiveBlob } from "../key-value/receive-blob.ts";
import { sendRecord } from "../key-value/send-record.ts";
import { answerText } from "../operations-front-end.ts";

export const protocol = "bazel";

/** What the content of a digest is stored as: the path has its hash without its length, of one function or the other. */
export function contentName(hash: string): string {
  return `cas/${hash}`;
}

/** Nobody stores it, and everybody may ask for it. */
export function isEmptyHash(hash: string): boolean {
  return digestFunctions.some((name) => emptyDigest(name).hash === hash);
}

export async function getContent(
  options: ArtifactOptions,
  exchange: Exchange,
  hash: string,
): Promise<void> {
  const admitted = admit(exchange, "read");
  if (admitted === undefined) return;
  if (isEmptyHash(hash)) return answerText(exchange.response, 200, "", "application/octet-stream");
  const artifact = { protocol, name: contentName(hash) };
  const record = await findReadable(options.artifacts.find, admitted, artifact, exchange.signal);
  await sendRecord(options, exchange, protocol, record);
}

/** Refuses with 400 what does not have the hash of its path. */
export async function putContent(
  options: ArtifactOptions,
  exchange: Exchange,
  hash: string,
): Promise<void> {
  const admitted = admit(exchange, "write");
  if (admitted === undefined) return;
  const { artifacts } = options;
  const { response, signal } = exchange;
  const counts = countArtifacts(options.metrics, protocol);
  const blob = await receiveBlob(options, exchange);
  if (blob === undefined) return counts.write("refused");
  if (!(await hasHash(artifacts.blobs, blob, hash, signal))) {
    counts.write("refused");
    return answerText(response, 400, "the content has another hash than its path\n");
  }
  const { namespace, identity } = admitted;
  const name = { protocol, namespace, name: contentName(hash) };
  // Bazel sends everything again: what is there needs no new record.
  if ((await artifacts.find(name, signal)) === undefined) {
    await artifacts.publish(name, blob, { headers: {}, writer: identity.name }, signal);
    counts.stored(blob.sizeBytes);
  } else counts.write("present");
  answerText(response, 201, "");
}

/** By the store's own function, which is known already, else by the other one. */
async function hasHash(
  blobs: BlobStore,
  blob: Digest,
  hash: string,
  signal: AbortSignal,
): Promise<boolean> {
  if (blob.hash === hash) return true;
  for (const name of digestFunctions)
    if (name !== blobs.digestFunction && (await hashOf(blobs, blob, name, signal)) === hash)
      return true;
  return false;
}

async function hashOf(
  blobs: BlobStore,
  blob: Digest,
  digestFunction: DigestFunction,
  signal: AbortSignal,
): Promise<string> {
  const hasher = createHasher(digestFunction);
  for await (const chunk of blobs.read(blob, { signal })) hasher.update(chunk);
  return hasher.digestHex();
}
