import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  actionResultKey,
  type ActionResultRecord,
  decodeActionResultRecord,
  encodeActionResultRecord,
  maxEntryBytes,
} from "@cuenv/action-cache";
import type { Digest } from "@cuenv/digest";
import {
  type ActionResult,
  ActionResultSchema,
  ActionSchema,
  ExecutedActionMetadataSchema,
  type GetActionResultRequest,
  GetActionResultRequestSchema,
  UpdateActionResultRequestSchema,
} from "@cuenv/reapi/messages";
import type { GrpcCall, MessageParts } from "../grpc/grpc-method.ts";
import { GrpcError } from "../grpc/grpc-status.ts";
import { decodeRequest } from "./decode-request.ts";
import { admitCaller, type Caller } from "./caller.ts";
import { assertResult } from "./checked-result.ts";
import { inlineContents, storeContents } from "./inline-contents.ts";
import type { NamespaceBlobs } from "./namespace-blobs.ts";
import { maxStoredMessageBytes, readWhole } from "./read-whole.ts";
import type { ReapiServices } from "./reapi-services.ts";
import { type ReadBlob, type ResultReferences, resultReferences } from "./result-references.ts";
import { asStoreFailure } from "./store-failure.ts";
import { digestOfWire } from "./wire-digest.ts";

/** A result, while everything that it names is here: in the caller's namespace, else in one that it reads besides. @throws {GrpcError} NOT_FOUND */
export async function getActionResult(
  services: ReapiServices,
  message: Buffer,
  call: GrpcCall,
): Promise<MessageParts> {
  const { options } = services;
  const request = decodeRequest(GetActionResultRequestSchema, message);
  const caller = await admitCaller(options, call, "read", request.instanceName);
  const action = digestOfWire(request.actionDigest, "the action");
  const blobs = services.blobsFor(request.digestFunction);
  const read = blobReader(services, blobs, caller, call);
  const counts = services.counts.results;
  for (const namespace of caller.readable) {
    const name = { namespace, instance: caller.instance, action };
    const record = await findRecord(services, blobs, name, call);
    if (record === undefined) continue;
    // The result was touched by being read; its blobs are by being looked for, after it.
    const references = record.isWhole
      ? { blobs: record.references, isWhole: true }
      : await laterReferences(record, read);
    if (!references.isWhole) continue;
    const absent = await blobs.missing(caller.readable, references.blobs, call.signal);
    if (absent.length > 0) continue;
    const answer = await withContents(record.result, request, read);
    counts.sent(answer.length);
    return [answer];
  }
  counts.read("miss");
  throw new GrpcError("NOT_FOUND", "there is no result, or something that it names is gone");
}

/** Of a result that was stored before all that is in it. What came later and is no Tree or Directory belongs to no result: nobody who asks did that. */
async function laterReferences(
  { result }: ActionResultRecord,
  read: ReadBlob,
): Promise<ResultReferences> {
  try {
    return await resultReferences(fromBinary(ActionResultSchema, result), read);
  } catch (error) {
    if (error instanceof GrpcError && error.status === "INVALID_ARGUMENT")
      return { blobs: [], isWhole: false };
    throw error;
  }
}

/** Keeps a result, and gives it as it was kept: what was inlined is in the CAS, and the worker is filled in. */
export async function updateActionResult(
  services: ReapiServices,
  message: Buffer,
  call: GrpcCall,
): Promise<MessageParts> {
  const { options } = services;
  const request = decodeRequest(UpdateActionResultRequestSchema, message);
  const caller = await admitCaller(options, call, "write", request.instanceName);
  const action = digestOfWire(request.actionDigest, "the action");
  const blobs = services.blobsFor(request.digestFunction);
  const result = request.actionResult;
  if (result === undefined) throw new GrpcError("INVALID_ARGUMENT", "there is no result");
  assertResult(result);
  const { namespace } = caller;
  await storeContents(result, (bytes) => blobs.ingest(namespace, bytes, call.signal));
  result.executionMetadata ??= create(ExecutedActionMetadataSchema);
  if (result.executionMetadata.worker === "") result.executionMetadata.worker = call.peer;
  const encoded = toBinary(ActionResultSchema, result);
  const read = blobReader(services, blobs, caller, call);
  const counts = services.counts.results;
  if (await isNotToBeCached(action, read)) {
    counts.write("refused");
    return [encoded];
  }
  const { blobs: references, isWhole } = await resultReferences(result, read);
  const record: ActionResultRecord = {
    namespace,
    instance: caller.instance,
    action,
    result: encoded,
    references,
    isWhole,
    writer: caller.identity.name,
    storedAt: new Date().toISOString(),
  };
  await keep(blobs, record, call);
  counts.stored(encoded.length);
  return [encoded];
}

async function findRecord(
  { options }: ReapiServices,
  { stores }: NamespaceBlobs,
  name: Pick<ActionResultRecord, "namespace" | "instance" | "action">,
  { signal }: GrpcCall,
): Promise<ActionResultRecord | undefined> {
  const { actions } = stores;
  const bytes = await actions.get(actionResultKey(actions.digestFunction, name), signal);
  if (bytes === undefined) return undefined;
  const found = decodeActionResultRecord(bytes, actions.digestFunction, name);
  if (found.kind === "record") return found.record;
  options.onTrouble?.(
    `the result of ${name.namespace}/${name.action.hash} cannot be used: ${found.detail}`,
  );
  return undefined;
}

async function keep(
  { stores }: NamespaceBlobs,
  record: ActionResultRecord,
  { signal }: GrpcCall,
): Promise<void> {
  const { actions, blobs } = stores;
  const entry = encodeActionResultRecord(record, actions.digestFunction);
  if (entry.length > maxEntryBytes)
    throw new GrpcError("RESOURCE_EXHAUSTED", `a result of ${entry.length} bytes is not kept`);
  await blobs.flush?.(signal);
  await actions.put(actionResultKey(actions.digestFunction, record), entry, signal);
}

async function withContents(
  encoded: Uint8Array,
  request: GetActionResultRequest,
  read: ReadBlob,
): Promise<Uint8Array> {
  const { inlineStdout, inlineStderr, inlineOutputFiles } = request;
  if (!inlineStdout && !inlineStderr && inlineOutputFiles.length === 0) return encoded;
  const result: ActionResult = fromBinary(ActionResultSchema, encoded);
  await inlineContents(result, request, read);
  return toBinary(ActionResultSchema, result);
}

/** Reads for the caller; undefined where a blob is not here, or is damaged. */
function blobReader(
  { options }: ReapiServices,
  blobs: NamespaceBlobs,
  { readable }: Caller,
  { signal }: GrpcCall,
): ReadBlob {
  return async (digest) => {
    try {
      return await readWhole(blobs, readable, digest, { maxBytes: maxStoredMessageBytes, signal });
    } catch (error) {
      if (asStoreFailure(error, options.onTrouble)?.status === "NOT_FOUND") return undefined;
      throw error;
    }
  };
}

/** An Action is smaller (bytes): digests, a salt, a platform. */
const maxActionBytes = 1024 * 1024;

/** Whether the Action says so, where it was uploaded. */
async function isNotToBeCached(action: Digest, read: ReadBlob): Promise<boolean> {
  const bytes = action.sizeBytes > maxActionBytes ? undefined : await read(action);
  if (bytes === undefined) return false;
  try {
    return fromBinary(ActionSchema, bytes).doNotCache;
  } catch {
    return false;
  }
}
