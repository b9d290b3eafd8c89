import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ActionKey, ActionStore } from "@cuenv/action-cache";
import { assertActionKey, maxEntryBytes } from "@cuenv/action-cache";
import type { BlobStore } from "@cuenv/cas";
import { hashBytes } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { encodeDigest } from "@cuenv/reapi";
import {
  ActionCache,
  type ActionResult,
  ActionResultSchema,
  decodeMessage,
  DigestSchema,
  digestFunctionValue,
  ExecutedActionMetadataSchema,
  GetActionResultRequestSchema,
  UpdateActionResultRequestSchema,
} from "@cuenv/reapi/messages";
import { deletedType, entryBlobType, entryResult, entryType, ownFile } from "./entry-result.ts";
import { instanceNameOf } from "./instance-name.ts";
import { RemoteError } from "./remote-error.ts";
import type { RemoteConnection } from "./remote-connection.ts";
import { wireDigest } from "./wire-digest.ts";

/** A larger entry is a blob of its own (bytes): results have to fit into the 4 MiB of a message. */
const maxInlineEntryBytes = 512 * 1024;

export interface RemoteActionStoreOptions {
  readonly connection: RemoteConnection;
  /** The blobs of a namespace of the same remote cache. */
  readonly blobsOf: (namespace: string) => BlobStore;
}

/**
 * Entries in a remote cache, each in an ActionResult (entry-result.ts). The protocol has no conditional write, so `create` looks first and is not atomic; and no
 * deletion, so what is deleted is replaced by a result that says so.
 */
export function createRemoteActionStore(options: RemoteActionStoreOptions): ActionStore {
  const { connection } = options;
  const guarded = async <Value>(
    verb: string,
    key: ActionKey,
    signal: AbortSignal | undefined,
    step: () => Promise<Value>,
  ): Promise<Value> => {
    assertActionKey(key);
    signal?.throwIfAborted();
    try {
      return await step();
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      if (!isUnavailable(error)) throw error;
      throw new CuenvError(
        "AC_STORE_UNAVAILABLE",
        `cannot ${verb} result ${key.digest.hash} in the remote cache: ${error.message}`,
        { cause: error },
      );
    }
  };
  const get = (key: ActionKey, signal?: AbortSignal): Promise<Uint8Array | undefined> =>
    guarded("read", key, signal, () => getEntry(options, key, signal));
  const put = (key: ActionKey, entry: Uint8Array, signal?: AbortSignal): Promise<void> =>
    guarded("write", key, signal, () => putEntry(options, key, entry, signal));
  return {
    digestFunction: connection.digestFunction,
    get,
    put,
    create: async (key, entry, signal) => {
      if ((await get(key, signal)) !== undefined) return false;
      await put(key, entry, signal);
      return true;
    },
    delete: (key, signal) =>
      guarded("delete", key, signal, async () => {
        if ((await getEntry(options, key, signal)) === undefined) return;
        const result = create(ActionResultSchema, {});
        await update(options, key, withEntry(result, deletedType, new Uint8Array()), signal);
      }),
  };
}

function isUnavailable(error: unknown): error is Error {
  if (error instanceof RemoteError) return true;
  return error instanceof CuenvError && error.code === "CAS_STORE_UNAVAILABLE";
}

async function getEntry(
  { connection, blobsOf }: RemoteActionStoreOptions,
  { digest, namespace }: ActionKey,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const request = create(GetActionResultRequestSchema, {
    instanceName: instanceNameOf(namespace),
    actionDigest: wireDigest(digest),
    digestFunction: digestFunctionValue[connection.digestFunction],
  });
  const bytes = toBinary(GetActionResultRequestSchema, request);
  let answer: Buffer;
  try {
    await connection.capabilities(signal);
    const { getActionResult } = ActionCache.method;
    answer = await connection.call(getActionResult, bytes, { access: "read", signal });
  } catch (error) {
    if (error instanceof RemoteError && error.status === "NOT_FOUND") return undefined;
    throw error;
  }
  const metadata =
    decodeMessage(ActionResultSchema, answer).executionMetadata?.auxiliaryMetadata ?? [];
  const inline = metadata.find(({ typeUrl }) => typeUrl === entryType);
  if (inline !== undefined) return Uint8Array.from(inline.value);
  const blob = metadata.find(({ typeUrl }) => typeUrl === entryBlobType);
  // Somebody else's result under one of our keys, or one that was deleted.
  if (blob === undefined) return undefined;
  return readEntryBlob(blobsOf(namespace), blob.value, signal);
}

/** What is not there, or is damaged, is no entry. */
async function readEntryBlob(
  blobs: BlobStore,
  encoded: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  const { hash, sizeBytes } = fromBinary(DigestSchema, encoded);
  if (sizeBytes > BigInt(maxEntryBytes)) return undefined;
  const chunks: Uint8Array[] = [];
  try {
    const digest = { hash, sizeBytes: Number(sizeBytes) };
    for await (const chunk of blobs.read(digest, signal === undefined ? {} : { signal }))
      chunks.push(chunk);
  } catch (error) {
    const code = error instanceof CuenvError ? error.code : undefined;
    if (code === "CAS_BLOB_NOT_FOUND" || code === "CAS_BLOB_CORRUPT" || code === "DIGEST_INVALID")
      return undefined;
    throw error;
  }
  return Buffer.concat(chunks);
}

async function putEntry(
  options: RemoteActionStoreOptions,
  key: ActionKey,
  entry: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { connection, blobsOf } = options;
  const { digestFunction } = connection;
  const bytes = Uint8Array.from(entry);
  const { result, blobs } = entryResult(bytes, digestFunction);
  const isInline = bytes.length <= maxInlineEntryBytes;
  const own = { digest: hashBytes(digestFunction, bytes), bytes };
  const all = isInline ? blobs : [...blobs, own];
  const store = blobsOf(key.namespace);
  const absent = await store.missing(
    all.map(({ digest }) => digest),
    signal,
  );
  const hashes = new Set(absent.map(({ hash }) => hash));
  await Promise.all(
    all
      .filter(({ digest }) => hashes.has(digest.hash))
      .map((blob) => store.write(blob.digest, blob.bytes, signal)),
  );
  if (!isInline)
    result.outputFiles.push(
      ...create(ActionResultSchema, { outputFiles: [ownFile("entry", own.digest)] }).outputFiles,
    );
  const named = isInline
    ? withEntry(result, entryType, bytes)
    : withEntry(result, entryBlobType, encodeDigest(own.digest));
  await update(options, key, named, signal);
}

function withEntry(result: ActionResult, typeUrl: string, value: Uint8Array): ActionResult {
  result.executionMetadata ??= create(ExecutedActionMetadataSchema);
  result.executionMetadata.auxiliaryMetadata.push({
    $typeName: "google.protobuf.Any",
    typeUrl,
    value: Uint8Array.from(value),
  });
  return result;
}

async function update(
  { connection }: RemoteActionStoreOptions,
  { digest, namespace }: ActionKey,
  actionResult: ActionResult,
  signal: AbortSignal | undefined,
): Promise<void> {
  await connection.capabilities(signal);
  const request = create(UpdateActionResultRequestSchema, {
    instanceName: instanceNameOf(namespace),
    actionDigest: wireDigest(digest),
    actionResult,
    digestFunction: digestFunctionValue[connection.digestFunction],
  });
  const bytes = toBinary(UpdateActionResultRequestSchema, request);
  const { updateActionResult } = ActionCache.method;
  await connection.call(updateActionResult, bytes, { access: "write", signal });
}
