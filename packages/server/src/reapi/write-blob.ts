import { create, toBinary } from "@bufbuild/protobuf";
import {
  QueryWriteStatusRequestSchema,
  QueryWriteStatusResponseSchema,
  type UploadResource,
  type WriteRequest,
  WriteRequestSchema,
  WriteResponseSchema,
} from "@cuenv/reapi/messages";
import type { GrpcCall, MessageParts } from "../grpc/grpc-method.ts";
import { GrpcError } from "../grpc/grpc-status.ts";
import { decodeRequest } from "./decode-request.ts";
import { writeResource } from "./blob-resource.ts";
import { admitCaller, type Caller } from "./caller.ts";
import type { NamespaceBlobs } from "./namespace-blobs.ts";
import type { ReapiServices } from "./reapi-services.ts";
import type { UploadName } from "./uploads.ts";
import { decompressStream } from "./zstd.ts";

interface Write {
  readonly resource: UploadResource;
  readonly blobs: NamespaceBlobs;
  readonly name: UploadName;
}

/**
 * Stores a blob that comes in pieces. One that is there already is answered at once, with its whole size (compressed: -1). What breaks off may be resumed at
 * the offset that QueryWriteStatus tells, within a minute.
 */
export async function writeBlob(
  services: ReapiServices,
  messages: AsyncIterable<Buffer>,
  call: GrpcCall,
): Promise<MessageParts> {
  const requests = messages[Symbol.asyncIterator]();
  const first = await nextRequest(requests);
  if (first === undefined) throw new GrpcError("INVALID_ARGUMENT", "the stream has no message");
  const resource = writeResource(first.resourceName, call);
  const { options } = services;
  const caller = await admitCaller(options, call, "write", resource.instance);
  const { digest, compressor } = resource;
  const { maxBlobBytes } = options;
  if (digest.sizeBytes > maxBlobBytes)
    throw new GrpcError(
      "INVALID_ARGUMENT",
      `a blob of ${digest.sizeBytes} bytes is larger than the ${maxBlobBytes} that are taken`,
    );
  const blobs = services.blobsOf(resource.digestFunction);
  const counts = services.counts.blobs;
  const isCompressed = compressor !== "identity";
  // Of its own namespace only: what it may merely read would be gone for those who read no further.
  const [absent] = await blobs.missing([caller.namespace], [digest], call.signal);
  if (absent === undefined) {
    counts.write("present");
    return committed(isCompressed ? -1 : digest.sizeBytes);
  }
  const name = uploadName(caller, resource);
  const write: Write = { resource, blobs, name };
  const isWhole =
    first.finishWrite && first.writeOffset === 0n && first.data.length === digest.sizeBytes;
  if (isWhole && !isCompressed) {
    await blobs.write(caller.namespace, digest, first.data, call.signal);
    counts.stored(digest.sizeBytes);
    return committed(digest.sizeBytes);
  }
  return committed(await receive(services, write, first, requests));
}

/** @returns what is committed, as the client counts it. */
async function receive(
  { uploads, counts, windows }: ReapiServices,
  { resource, blobs, name }: Write,
  first: WriteRequest,
  requests: AsyncIterator<Buffer>,
): Promise<number> {
  const isCompressed = resource.compressor !== "identity";
  const upload = uploads.open(name, offsetOf(first), blobs);
  const wire = { offset: offsetOf(first), isFinished: false };
  const bytes = dataOf(first, requests, resource, wire);
  try {
    for await (const chunk of isCompressed ? decompressStream(bytes, windows) : bytes)
      await upload.push(chunk);
  } catch (error) {
    upload.leave();
    throw error;
  }
  if (!wire.isFinished) {
    upload.leave();
    return upload.receivedBytes;
  }
  await upload.finish();
  counts.blobs.stored(resource.digest.sizeBytes);
  return wire.offset;
}

/** The data of all messages, each where the one before it ended. `wire` follows it. */
async function* dataOf(
  first: WriteRequest,
  requests: AsyncIterator<Buffer>,
  resource: UploadResource,
  wire: { offset: number; isFinished: boolean },
): AsyncGenerator<Uint8Array> {
  for (let request: WriteRequest | undefined = first; request !== undefined;) {
    if (request.resourceName !== "" && request.resourceName !== first.resourceName)
      throw new GrpcError("INVALID_ARGUMENT", "the resource name changed within the stream");
    if (offsetOf(request) !== wire.offset)
      throw new GrpcError(
        "INVALID_ARGUMENT",
        `a message is at offset ${request.writeOffset}, and the one before it ended at ${wire.offset}`,
      );
    wire.offset += request.data.length;
    if (request.finishWrite) wire.isFinished = true;
    if (request.data.length > 0) yield request.data;
    if (request.finishWrite) return;
    request = await nextRequest(requests);
  }
}

async function nextRequest(requests: AsyncIterator<Buffer>): Promise<WriteRequest | undefined> {
  const { done, value } = await requests.next();
  return done === true ? undefined : decodeRequest(WriteRequestSchema, value);
}

function offsetOf({ writeOffset }: WriteRequest): number {
  if (writeOffset < 0n || writeOffset > BigInt(Number.MAX_SAFE_INTEGER))
    throw new GrpcError("INVALID_ARGUMENT", `offset ${writeOffset}`);
  return Number(writeOffset);
}

function uploadName({ namespace }: Caller, resource: UploadResource): UploadName {
  const { uploadId, digestFunction, digest } = resource;
  const key = [namespace, uploadId, digestFunction, digest.hash, digest.sizeBytes].join("/");
  return { key, namespace, digest };
}

function committed(sizeBytes: number): MessageParts {
  const answer = create(WriteResponseSchema, { committedSize: BigInt(sizeBytes) });
  return [toBinary(WriteResponseSchema, answer)];
}

/** How far an upload has come, in bytes of the blob; 0 of one that is not known. */
export async function queryWriteStatus(
  services: ReapiServices,
  message: Buffer,
  call: GrpcCall,
): Promise<MessageParts> {
  const { resourceName } = decodeRequest(QueryWriteStatusRequestSchema, message);
  const resource = writeResource(resourceName, call);
  const caller = await admitCaller(services.options, call, "write", resource.instance);
  const { digest } = resource;
  const blobs = services.blobsOf(resource.digestFunction);
  const [absent] = await blobs.missing([caller.namespace], [digest], call.signal);
  const received = services.uploads.receivedBytes(uploadName(caller, resource).key) ?? 0;
  const answer = create(QueryWriteStatusResponseSchema, {
    committedSize: BigInt(absent === undefined ? digest.sizeBytes : received),
    complete: absent === undefined,
  });
  return [toBinary(QueryWriteStatusResponseSchema, answer)];
}
