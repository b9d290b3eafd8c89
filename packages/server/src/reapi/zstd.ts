import { Readable } from "node:stream";
import {
  constants,
  createZstdCompress,
  createZstdDecompress,
  zstdCompressSync,
  zstdDecompressSync,
} from "node:zlib";
import { GrpcError } from "../grpc/grpc-status.ts";

/** Fast, and a third of the size of what builds make (reference/performance.md 5). */
const fast = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const streamed = { ...fast, chunkSize: 256 * 1024 };
/** Smaller ones are sent as they are (bytes). */
const minCompressedBytes = 1024;

/** One frame, also of nothing. */
export function zstdFrame(bytes: Uint8Array): Uint8Array {
  return zstdCompressSync(bytes, fast);
}

/** Undefined: it would not be smaller. */
export function compressSmall(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < minCompressedBytes) return undefined;
  const compressed = zstdFrame(bytes);
  return compressed.length < bytes.length ? compressed : undefined;
}

/** @throws {GrpcError} INVALID_ARGUMENT when the bytes are no zstd, or become more than `sizeBytes` */
export function decompressSmall(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  try {
    // An empty blob may be any empty frame.
    return zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, sizeBytes) });
  } catch (cause) {
    throw new GrpcError("INVALID_ARGUMENT", `the data is not ${sizeBytes} bytes in zstd`, cause);
  }
}

/** One frame of everything. */
export function compressStream(
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const source = Readable.from(bytes);
  const transform = createZstdCompress(streamed);
  source.once("error", (error) => transform.destroy(error));
  signal.addEventListener("abort", () => transform.destroy(signal.reason as Error), { once: true });
  return source.pipe(transform);
}

/**
 * What zstd frames decompress to, in pieces, as they come: a bomb grows by a piece at a time, and whoever reads counts.
 * @throws {GrpcError} INVALID_ARGUMENT when they are no zstd
 */
export async function* decompressStream(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const source = Readable.from(bytes);
  const transform = createZstdDecompress({ chunkSize: streamed.chunkSize });
  source.once("error", (error) => transform.destroy(error));
  try {
    for await (const chunk of source.pipe(transform)) yield chunk as Uint8Array;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    throw code.startsWith("ZSTD") || code === "Z_BUF_ERROR"
      ? new GrpcError("INVALID_ARGUMENT", "the data is not zstd", cause)
      : cause;
  } finally {
    source.destroy();
    transform.destroy();
  }
}
