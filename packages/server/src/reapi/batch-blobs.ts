import { create, toBinary } from "@bufbuild/protobuf";
import { createTurns } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";
import {
  BatchReadBlobsRequestSchema,
  BatchReadBlobsResponseSchema,
  type BatchUpdateBlobsRequest_Request,
  BatchUpdateBlobsRequestSchema,
  BatchUpdateBlobsResponseSchema,
  Compressor_Value,
} from "@cuenv/reapi/messages";
import type { GrpcCall, MessageParts } from "../grpc/grpc-method.ts";
import { GrpcError } from "../grpc/grpc-status.ts";
import { decodeRequest } from "./decode-request.ts";
import { admitCaller } from "./caller.ts";
import { maxBatchBytes } from "./reapi-options.ts";
import type { ReapiServices } from "./reapi-services.ts";
import { readWhole } from "./read-whole.ts";
import { asStoreFailure } from "./store-failure.ts";
import { digestOfWire } from "./wire-digest.ts";
import { compressSmall, decompressSmall } from "./zstd.ts";

/** Each blob of a batch has its own status; only what is wrong with the request itself fails the call. */
export async function batchUpdateBlobs(
  services: ReapiServices,
  message: Buffer,
  call: GrpcCall,
): Promise<MessageParts> {
  const request = decodeRequest(BatchUpdateBlobsRequestSchema, message);
  const { namespace } = await admitCaller(services.options, call, "write", request.instanceName);
  const blobs = services.blobsFor(request.digestFunction);
  const items = request.requests.map((item) => ({
    item,
    digest: digestOfWire(item.digest, "a blob"),
  }));
  assertBatch(items.map(({ digest }) => digest));
  const counts = services.counts.blobs;
  const responses = [];
  const turn = createTurns();
  for (const { item, digest } of items) {
    await turn();
    call.signal.throwIfAborted();
    const status = await statusOf(services, async () => {
      await blobs.write(namespace, digest, bytesOf(item, digest), call.signal);
      counts.stored(digest.sizeBytes);
    });
    responses.push({ ...(item.digest === undefined ? {} : { digest: item.digest }), status });
  }
  return [
    toBinary(BatchUpdateBlobsResponseSchema, create(BatchUpdateBlobsResponseSchema, { responses })),
  ];
}

function bytesOf(
  { data, compressor }: BatchUpdateBlobsRequest_Request,
  digest: Digest,
): Uint8Array {
  switch (compressor) {
    case Compressor_Value.IDENTITY:
      return data;
    case Compressor_Value.ZSTD:
      return decompressSmall(data, digest.sizeBytes);
    default:
      throw new GrpcError("INVALID_ARGUMENT", `compressor ${compressor} is not taken`);
  }
}

export async function batchReadBlobs(
  services: ReapiServices,
  message: Buffer,
  call: GrpcCall,
): Promise<MessageParts> {
  const request = decodeRequest(BatchReadBlobsRequestSchema, message);
  const { readable } = await admitCaller(services.options, call, "read", request.instanceName);
  const blobs = services.blobsFor(request.digestFunction);
  const digests = request.digests.map((digest) => digestOfWire(digest, "a blob"));
  assertBatch(digests);
  const isZstd = request.acceptableCompressors.includes(Compressor_Value.ZSTD);
  const counts = services.counts.blobs;
  const responses = [];
  const turn = createTurns();
  for (const [index, digest] of digests.entries()) {
    await turn();
    call.signal.throwIfAborted();
    const wire = request.digests[index];
    const named = wire === undefined ? {} : { digest: wire };
    let data: Uint8Array = new Uint8Array();
    const status = await statusOf(services, async () => {
      const options = { maxBytes: maxBatchBytes, signal: call.signal };
      data = await readWhole(blobs, readable, digest, options);
    });
    if (status.code === 0) counts.sent(digest.sizeBytes);
    else counts.read("miss");
    const compressed = isZstd ? compressSmall(data) : undefined;
    const compressor = compressed === undefined ? Compressor_Value.IDENTITY : Compressor_Value.ZSTD;
    responses.push({ ...named, data: compressed ?? data, status, compressor });
  }
  return [
    toBinary(BatchReadBlobsResponseSchema, create(BatchReadBlobsResponseSchema, { responses })),
  ];
}

function assertBatch(digests: readonly Digest[]): void {
  const total = digests.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (total > maxBatchBytes)
    throw new GrpcError(
      "INVALID_ARGUMENT",
      `a batch of ${total} bytes is larger than the ${maxBatchBytes} that are taken: use ByteStream`,
    );
}

async function statusOf(
  { options }: ReapiServices,
  step: () => Promise<void>,
): Promise<{ readonly code: number; readonly message: string }> {
  try {
    await step();
    return { code: 0, message: "" };
  } catch (error) {
    const failure = asStoreFailure(error, options.onTrouble);
    if (failure === undefined) throw error;
    return { code: failure.code, message: failure.message };
  }
}
