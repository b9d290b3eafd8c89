import { type BlobStore, createTurns } from "@cuenv/cas";
import { countArtifacts } from "../count-artifacts.ts";
import type { Exchange } from "../front-end.ts";
import { type Admitted, findReadable } from "../find-readable.ts";
import { admit } from "../key-value/admit.ts";
import type { ArtifactOptions } from "../artifact-options.ts";
import { receiveBlob } from "../key-value/receive-blob.ts";
import { sendRecord } from "../key-value/send-record.ts";
import { answerText } from "../operations-front-end.ts";
import { isGone } from "../send-blob.ts";
import { contentName, isEmptyHash, protocol } from "./content-routes.ts";
import { type ContentDigest, readActionResult, readTree } from "./named-contents.ts";

/** No action result, and no Tree that is read to see what it names, is larger (bytes). */
const maxMessageBytes = 32 * 1024 * 1024;

/**
 * A result is only a hit with everything that it names: Bazel that fetches outputs late (`--remote_download_minimal`) has no way back
 * from a result whose contents are gone, and contents are evicted one by one.
 */
export async function getActionResult(
  options: ArtifactOptions,
  exchange: Exchange,
  key: string,
): Promise<void> {
  const admitted = admit(exchange, "read");
  if (admitted === undefined) return;
  const artifact = { protocol, name: actionName(key) };
  const record = await findReadable(options.artifacts.find, admitted, artifact, exchange.signal);
  const isComplete =
    record !== undefined && (await hasAll(options, admitted, record.blob, exchange));
  await sendRecord(options, exchange, protocol, isComplete ? record : undefined);
}

/** Refuses with 400 what is no ActionResult: of nothing else could be told what it needs. */
export async function putActionResult(
  options: ArtifactOptions,
  exchange: Exchange,
  key: string,
): Promise<void> {
  const admitted = admit(exchange, "write");
  if (admitted === undefined) return;
  const { artifacts } = options;
  const { response, signal } = exchange;
  const counts = countArtifacts(options.metrics, protocol);
  const maxArtifactBytes = Math.min(options.maxArtifactBytes, maxMessageBytes);
  const blob = await receiveBlob({ artifacts, maxArtifactBytes }, exchange);
  if (blob === undefined) return counts.write("refused");
  if (readActionResult(await readWhole(artifacts.blobs, blob, signal)) === undefined) {
    counts.write("refused");
    return answerText(response, 400, "the body is not an ActionResult\n");
  }
  const { namespace, identity } = admitted;
  const about = { headers: {}, writer: identity.name };
  await artifacts.publish({ protocol, namespace, name: actionName(key) }, blob, about, signal);
  counts.stored(blob.sizeBytes);
  answerText(response, 201, "");
}

function actionName(key: string): string {
  return `ac/${key}`;
}

async function hasAll(
  options: ArtifactOptions,
  admitted: Admitted,
  result: ContentDigest,
  { signal }: Exchange,
): Promise<boolean> {
  const { blobs } = options.artifacts;
  const named = readActionResult(await readWhole(blobs, result, signal));
  if (named === undefined) return false;
  const seen = new Set<string>();
  const turn = createTurns();
  const find = async (content: ContentDigest) => {
    await turn();
    signal.throwIfAborted();
    const artifact = { protocol, name: contentName(content.hash) };
    const record = await findReadable(options.artifacts.find, admitted, artifact, signal);
    return record?.blob.sizeBytes === content.sizeBytes ? record : undefined;
  };
  const isThere = async (content: ContentDigest): Promise<boolean> => {
    if (seen.has(content.hash) || isEmptyHash(content.hash)) return true;
    seen.add(content.hash);
    return (await find(content)) !== undefined;
  };
  for (const content of named.contents) if (!(await isThere(content))) return false;
  for (const tree of named.trees) {
    const record = await find(tree);
    if (record === undefined || record.blob.sizeBytes > maxMessageBytes) return false;
    const contents = readTree(await readWhole(blobs, record.blob, signal));
    if (contents === undefined) return false;
    for (const content of contents) if (!(await isThere(content))) return false;
  }
  return true;
}

/** Undefined when it is gone, or found damaged. */
async function readWhole(
  blobs: BlobStore,
  digest: ContentDigest,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    const chunks: Uint8Array[] = [];
    // A chunk may be a view of a buffer that the store uses again.
    for await (const chunk of blobs.read(digest, { signal })) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}
