import { create, toBinary } from "@bufbuild/protobuf";
import { status as grpcStatus } from "@grpc/grpc-js";
import { type Digest, equalDigests, formatDigest, hashBytes } from "@cuenv/digest";
import {
  BatchReadBlobsRequestSchema,
  BatchReadBlobsResponseSchema,
  BatchUpdateBlobsRequestSchema,
  BatchUpdateBlobsResponseSchema,
  Compressor_Value,
  ContentAddressableStorage as Cas,
  decodeMessage,
  digestFunctionValue,
  type Status,
} from "@cuenv/reapi/messages";
import { decompressZstd } from "@cuenv/reapi/zstd";
import { zstdCompressSync } from "node:zlib";
import { type Batcher, createBatcher } from "./batcher.ts";
import { blobCorrupt, blobFailure, blobNotFound } from "./blob-failure.ts";
import type { RemoteConnection } from "./remote-connection.ts";
import { RemoteError } from "./remote-error.ts";
import { wireDigest } from "./wire-digest.ts";
import { zstdOptions } from "./zstd-options.ts";

/** Blobs that fit into a batch. Capabilities are known before. */
export interface BatchedBlobs {
  /** Verified. @throws {CuenvError} CAS_BLOB_NOT_FOUND, CAS_BLOB_CORRUPT, CAS_STORE_UNAVAILABLE */
  read(digest: Digest): Promise<Uint8Array>;
  /** Of bytes whose digest was checked. @throws {CuenvError} CAS_STORE_UNAVAILABLE */
  write(digest: Digest, bytes: Uint8Array): Promise<void>;
}

/** What a digest and its framing take in a message (bytes). */
const overheadBytes = 200;
const okCode: number = grpcStatus.OK;
const notFoundCode: number = grpcStatus.NOT_FOUND;
const maxBatchItems = 4_000;
/** Smaller ones are sent as they are (bytes). */
const minCompressedBytes = 1024;

interface Upload {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

export function createBatchedBlobs(connection: RemoteConnection): BatchedBlobs {
  // The bound of a batch is known once somebody asked for the capabilities, which comes before.
  let made: Promise<Batchers> | undefined;
  const batchers = (): Promise<Batchers> => (made ??= makeBatchers(connection));
  const reading = new Map<string, Promise<Uint8Array>>();
  return {
    read(digest) {
      const name = formatDigest(digest);
      const same = reading.get(name);
      if (same !== undefined) return same;
      const read = batchers()
        .then(({ reads }) => reads.add(digest))
        .catch((error: unknown) => {
          throw blobFailure(error, "read", digest);
        })
        .finally(() => reading.delete(name));
      reading.set(name, read);
      return read;
    },
    async write(digest, bytes) {
      try {
        const { writes } = await batchers();
        // The caller may change its buffer while this waits for its batch.
        await writes.add({ digest, bytes: Uint8Array.from(bytes) });
      } catch (error) {
        throw blobFailure(error, "write", digest);
      }
    },
  };
}

interface Batchers {
  readonly reads: Batcher<Digest, Uint8Array>;
  readonly writes: Batcher<Upload, true>;
}

async function makeBatchers(connection: RemoteConnection): Promise<Batchers> {
  const { maxBatchBytes, zstdBatches } = await connection.capabilities();
  const bounds = { maxWeight: maxBatchBytes, maxItems: maxBatchItems };
  return {
    reads: createBatcher({
      ...bounds,
      weightOf: ({ sizeBytes }) => sizeBytes + overheadBytes,
      send: (digests) => readBatch(connection, digests),
    }),
    writes: createBatcher({
      ...bounds,
      weightOf: ({ digest }) => digest.sizeBytes + overheadBytes,
      send: (uploads) => writeBatch(connection, uploads, zstdBatches),
    }),
  };
}

async function readBatch(
  connection: RemoteConnection,
  digests: readonly Digest[],
): Promise<readonly (Uint8Array | Error)[]> {
  const { instanceName, digestFunction } = connection;
  const { zstdStreams } = await connection.capabilities();
  const request = create(BatchReadBlobsRequestSchema, {
    instanceName,
    digests: digests.map(wireDigest),
    digestFunction: digestFunctionValue[digestFunction],
    acceptableCompressors: zstdStreams ? [Compressor_Value.ZSTD] : [],
  });
  const bytes = toBinary(BatchReadBlobsRequestSchema, request);
  const answer = await connection.call(Cas.method.batchReadBlobs, bytes, { access: "read" });
  const { responses } = decodeMessage(BatchReadBlobsResponseSchema, answer);
  const found = new Map(
    responses.map((response) => [
      `${response.digest?.hash ?? ""}/${response.digest?.sizeBytes ?? 0n}`,
      response,
    ]),
  );
  return digests.map((digest) => {
    const response = found.get(formatDigest(digest));
    if (response === undefined) return new RemoteError("INTERNAL", "the answer lacks a blob");
    if (isNotFound(response.status)) return blobNotFound(digest);
    const failure = failureOf(connection, response.status);
    if (failure !== undefined) return failure;
    return verified(connection, digest, response.data, response.compressor);
  });
}

function verified(
  { digestFunction }: RemoteConnection,
  digest: Digest,
  data: Uint8Array,
  compressor: Compressor_Value,
): Uint8Array | Error {
  let bytes = data;
  if (compressor === Compressor_Value.ZSTD) {
    try {
      bytes = decompressZstd(data, digest.sizeBytes);
    } catch {
      return blobCorrupt(digest, "no zstd");
    }
  } else if (compressor !== Compressor_Value.IDENTITY)
    return blobCorrupt(digest, `compressor ${compressor}`);
  const actual = hashBytes(digestFunction, bytes);
  return equalDigests(actual, digest) ? bytes : blobCorrupt(digest, formatDigest(actual));
}

async function writeBatch(
  connection: RemoteConnection,
  uploads: readonly Upload[],
  isZstd: boolean,
): Promise<readonly (true | Error)[]> {
  const { instanceName, digestFunction } = connection;
  const request = create(BatchUpdateBlobsRequestSchema, {
    instanceName,
    requests: uploads.map(({ digest, bytes }) => ({
      digest: wireDigest(digest),
      ...(isZstd ? compressed(bytes) : { data: bytes }),
    })),
    digestFunction: digestFunctionValue[digestFunction],
  });
  const bytes = toBinary(BatchUpdateBlobsRequestSchema, request);
  const answer = await connection.call(Cas.method.batchUpdateBlobs, bytes, { access: "write" });
  const { responses } = decodeMessage(BatchUpdateBlobsResponseSchema, answer);
  const statuses = new Map(responses.map(({ digest, status }) => [digest?.hash ?? "", status]));
  return uploads.map(({ digest }) =>
    statuses.has(digest.hash)
      ? (failureOf(connection, statuses.get(digest.hash)) ?? true)
      : new RemoteError("INTERNAL", "the answer lacks a blob"),
  );
}

function compressed(bytes: Uint8Array): { data: Uint8Array; compressor?: Compressor_Value } {
  if (bytes.length < minCompressedBytes) return { data: bytes };
  const data = zstdCompressSync(bytes, zstdOptions);
  return data.length < bytes.length ? { data, compressor: Compressor_Value.ZSTD } : { data: bytes };
}

function isNotFound(status: Status | undefined): boolean {
  return status?.code === notFoundCode;
}

function failureOf(
  { told }: RemoteConnection,
  status: Status | undefined,
): RemoteError | undefined {
  if (status === undefined || status.code === okCode) return undefined;
  const name = grpcStatus[status.code] ?? "UNKNOWN";
  return new RemoteError(name, `${name}: ${told(status.message)}`);
}
