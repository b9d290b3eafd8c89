import { fromBinary } from "@bufbuild/protobuf";
import type { DigestFunction } from "@cuenv/digest";
import {
  Compressor_Value,
  digestFunctionValue,
  ServerCapabilitiesSchema,
} from "@cuenv/reapi/messages";
import { RemoteError } from "./remote-error.ts";

/** What a remote cache can do, as far as we make use of it. */
export interface RemoteCapabilities {
  /** All blobs of one batch together (bytes). */
  readonly maxBatchBytes: number;
  /** No blob is larger (bytes). */
  readonly maxBlobBytes: number;
  /** Whether it takes results from us. */
  readonly takesUpdates: boolean;
  /** Whether blobs may travel compressed with zstd: as streams, and in batches that we send. */
  readonly zstdStreams: boolean;
  readonly zstdBatches: boolean;
}

/** Larger batches are not made, and larger blobs are streams: a call is bounded as a whole, a stream only must not stand still. */
const maxBatchBytes = 1024 * 1024;

/** Of a server that has no Capabilities service. */
export const usualCapabilities: RemoteCapabilities = {
  maxBatchBytes,
  maxBlobBytes: Number.MAX_SAFE_INTEGER,
  takesUpdates: true,
  zstdStreams: false,
  zstdBatches: false,
};

/** @throws {RemoteError} FAILED_PRECONDITION when the server is no cache for us */
export function readCapabilities(
  answer: Uint8Array,
  digestFunction: DigestFunction,
): RemoteCapabilities {
  const { cacheCapabilities: cache, lowApiVersion: low } = fromBinary(
    ServerCapabilitiesSchema,
    answer,
  );
  const refuse = (problem: string): never => {
    throw new RemoteError("FAILED_PRECONDITION", problem);
  };
  if (cache === undefined) return refuse("the server has no cache");
  if ((low?.major ?? 2) > 2) refuse(`the server speaks API ${low?.major}.${low?.minor} and later`);
  const functions = cache.digestFunctions;
  if (functions.length > 0 && !functions.includes(digestFunctionValue[digestFunction]))
    refuse(
      `the server has no ${digestFunction.toUpperCase()} digests; config.cache.digestFunction chooses others`,
    );
  const batch = Number(cache.maxBatchTotalSizeBytes);
  const blob = Number(cache.maxCasBlobSizeBytes);
  return {
    maxBatchBytes: batch === 0 ? maxBatchBytes : Math.min(batch, maxBatchBytes),
    maxBlobBytes: blob === 0 ? Number.MAX_SAFE_INTEGER : blob,
    takesUpdates: cache.actionCacheUpdateCapabilities?.updateEnabled ?? false,
    zstdStreams: cache.supportedCompressors.includes(Compressor_Value.ZSTD),
    zstdBatches: cache.supportedBatchUpdateCompressors.includes(Compressor_Value.ZSTD),
  };
}
