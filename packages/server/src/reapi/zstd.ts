import { Readable } from "node:stream";
import { constants, createZstdCompress, createZstdDecompress, zstdCompressSync } from "node:zlib";
import { decompressZstd, maxFrameHeaderBytes, zstdFrames } from "@cuenv/reapi/zstd";
import type { ByteBudget } from "../grpc/byte-budget.ts";
import { GrpcError } from "../grpc/grpc-status.ts";
import { largestWindowLog, windowLogOf } from "./zstd-window.ts";

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
    return decompressZstd(bytes, sizeBytes);
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
 * What zstd frames decompress to, in pieces, as they come: a bomb grows by a piece at a time, and whoever reads counts. The window of the first is taken from
 * `windows`, and none of those behind it may be larger.
 * @throws {GrpcError} INVALID_ARGUMENT when they are no zstd, UNAVAILABLE when all windows together would be too large
 */
export async function* decompressStream(
  bytes: AsyncIterable<Uint8Array>,
  windows: ByteBudget,
): AsyncGenerator<Uint8Array> {
  const window = windows.share();
  const chunks = bytes[Symbol.asyncIterator]();
  const head = await firstBytes(chunks, maxFrameHeaderBytes);
  const windowLog = windowLogOf(head);
  const source = Readable.from(zstdFrames(joined(head, chunks)));
  const transform = createZstdDecompress({
    chunkSize: streamed.chunkSize,
    params: { [constants.ZSTD_d_windowLogMax]: windowLog },
  });
  source.once("error", (error) => transform.destroy(error));
  try {
    window.set(2 ** windowLog);
    for await (const chunk of source.pipe(transform)) yield chunk as Uint8Array;
  } catch (cause) {
    throw refusalOf(cause) ?? cause;
  } finally {
    window.end();
    source.destroy();
    transform.destroy();
  }
}

/** Undefined: it is not zstd that failed. */
function refusalOf(cause: unknown): GrpcError | undefined {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code === "ZSTD_error_frameParameter_windowTooLarge") {
    const most = `${2 ** (largestWindowLog - 20)} MiB`;
    const reason = `a frame of the zstd data has a larger window than ${most}, or than its first frame`;
    return new GrpcError("INVALID_ARGUMENT", reason, cause);
  }
  return code.startsWith("ZSTD") || code === "Z_BUF_ERROR"
    ? new GrpcError("INVALID_ARGUMENT", "the data is not zstd", cause)
    : undefined;
}

/** At least so many, where there are so many. */
async function firstBytes(chunks: AsyncIterator<Uint8Array>, count: number): Promise<Buffer> {
  let first: Buffer = Buffer.alloc(0);
  while (first.length < count) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    first = Buffer.concat([first, value]);
  }
  return first;
}

async function* joined(head: Buffer, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  yield* { [Symbol.asyncIterator]: () => rest };
}
