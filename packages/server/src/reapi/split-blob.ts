import { create, toBinary } from "@bufbuild/protobuf";
import { fastCdcChunks } from "@cuenv/cas";
import { type Digest, equalDigests, emptyDigest, formatDigest } from "@cuenv/digest";
import {
  ChunkingFunction_Value,
  SpliceBlobRequestSchema,
  SpliceBlobResponseSchema,
  SplitBlobRequestSchema,
  SplitBlobResponseSchema,
} from "@cuenv/reapi/messages";
import type { GrpcCall, MessageParts } from "../grpc/grpc-method.ts";
import { GrpcError } from "../grpc/grpc-status.ts";
import { decodeRequest } from "./decode-request.ts";
import { admitCaller } from "./caller.ts";
import type { NamespaceBlobs } from "./namespace-blobs.ts";
import type { ReapiServices } from "./reapi-services.ts";
import { digestOfWire, wireDigest } from "./wire-digest.ts";

/**
 * The chunks of a blob, which are blobs then. They are the caller's namespace's: a blob that it only reads is not cut for it into main's. Cutting costs a read and
 * a write of everything, so what a blob was cut into is remembered.
 */
export async function splitBlob(
  services: ReapiServices,
  message: Buffer,
  call: GrpcCall,
): Promise<MessageParts> {
  const request = decodeRequest(SplitBlobRequestSchema, message);
  // Chunks are written.
  const caller = await admitCaller(services.options, call, "write", request.instanceName);
  const { namespace, readable } = caller;
  const blobs = services.blobsFor(request.digestFunction);
  const digest = digestOfWire(request.blobDigest, "the blob");
  const name = `${blobs.stores.blobs.digestFunction}/${namespace}/${formatDigest(digest)}`;
  const known = services.splits.get(name);
  const absent = known && (await blobs.missing(readable, [digest, ...known], call.signal));
  const chunks =
    known !== undefined && absent?.length === 0
      ? known
      : await cut(blobs, { namespace, readable }, digest, call);
  services.splits.set(name, chunks);
  const answer = create(SplitBlobResponseSchema, {
    chunkDigests: chunks.map(wireDigest),
    chunkingFunction: ChunkingFunction_Value.FAST_CDC_2020,
  });
  return [toBinary(SplitBlobResponseSchema, answer)];
}

async function cut(
  blobs: NamespaceBlobs,
  { namespace, readable }: { readonly namespace: string; readonly readable: readonly string[] },
  digest: Digest,
  { signal }: GrpcCall,
): Promise<readonly Digest[]> {
  const chunks: Digest[] = [];
  for await (const chunk of fastCdcChunks(blobs.read(readable, digest, { signal })))
    chunks.push(await blobs.ingest(namespace, chunk, signal));
  return chunks;
}

/** Makes a blob of chunks that the caller can read. */
export async function spliceBlob(
  services: ReapiServices,
  message: Buffer,
  call: GrpcCall,
): Promise<MessageParts> {
  const request = decodeRequest(SpliceBlobRequestSchema, message);
  const { options } = services;
  const caller = await admitCaller(options, call, "write", request.instanceName);
  const { namespace, readable } = caller;
  const blobs = services.blobsFor(request.digestFunction);
  const digest = digestOfWire(request.blobDigest, "the blob");
  const chunks = request.chunkDigests.map((chunk) => digestOfWire(chunk, "a chunk"));
  assertChunks(digest, chunks, blobs, options.maxBlobBytes);
  const [absent] = await blobs.missing([namespace], [digest], call.signal);
  if (absent !== undefined) {
    const [gone] = await blobs.missing(readable, chunks, call.signal);
    if (gone !== undefined) throw new GrpcError("NOT_FOUND", `chunk ${gone.hash} is not here`);
    await blobs.write(namespace, digest, joined(blobs, readable, chunks, call), call.signal);
    services.counts.blobs.stored(digest.sizeBytes);
  }
  const answer = create(SpliceBlobResponseSchema, { blobDigest: wireDigest(digest) });
  return [toBinary(SpliceBlobResponseSchema, answer)];
}

function assertChunks(
  digest: Digest,
  chunks: readonly Digest[],
  blobs: NamespaceBlobs,
  maxBlobBytes: number,
): void {
  const refuse = (problem: string): never => {
    throw new GrpcError("INVALID_ARGUMENT", `cannot splice ${digest.hash}: ${problem}`);
  };
  if (digest.sizeBytes > maxBlobBytes) refuse(`it is larger than ${maxBlobBytes} bytes`);
  if (equalDigests(digest, emptyDigest(blobs.stores.blobs.digestFunction))) return;
  if (chunks.length === 0) refuse("there are no chunks");
  if (chunks.some(({ sizeBytes }) => sizeBytes === 0)) refuse("a chunk is empty");
  const total = chunks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (total !== digest.sizeBytes) refuse(`it has ${digest.sizeBytes} bytes, its chunks ${total}`);
}

async function* joined(
  blobs: NamespaceBlobs,
  readable: readonly string[],
  chunks: readonly Digest[],
  { signal }: GrpcCall,
): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield* blobs.read(readable, chunk, { signal });
}
