import { fromBinary, create, toBinary } from "@bufbuild/protobuf";
import { createHasher, type Digest } from "@cuenv/digest";
import {
  ByteStream,
  formatReadResource,
  ReadRequestSchema,
  ReadResponseSchema,
} from "@cuenv/reapi/messages";
import { zstdFrames } from "@cuenv/reapi/zstd";
import { setTimeout as delay } from "node:timers/promises";
import { Readable } from "node:stream";
import { createZstdDecompress } from "node:zlib";
import { blobCorrupt, blobFailure } from "./blob-failure.ts";
import { createChunkQueue } from "./chunk-queue.ts";
import { asRemoteError, isRetryable } from "./remote-error.ts";
import type { RemoteConnection, Transfer } from "./remote-connection.ts";
import { maxAttempts } from "./retry.ts";
import { zstdOptions } from "./zstd-options.ts";

/** Bytes of a blob, end exclusive. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** Before it goes on where it broke off (ms). */
const resumeDelayMs = 200;

/**
 * A large blob, or a part of it. A stream that breaks off goes on at the byte that it came to. Of a whole blob the hash is checked before the last
 * chunk is given.
 * @throws {CuenvError} CAS_BLOB_NOT_FOUND, CAS_BLOB_CORRUPT, CAS_STORE_UNAVAILABLE; the signal's reason
 */
export async function* readStream(
  connection: RemoteConnection,
  digest: Digest,
  range: Range,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const isWhole = range.start === 0 && range.end === digest.sizeBytes;
  const hasher = isWhole ? createHasher(connection.digestFunction) : undefined;
  const queue = createChunkQueue();
  const transfer = connection.transfer({ access: "read", signal }, async (made) => {
    let position = range.start;
    for (let attempt = 1; position < range.end; attempt += 1) {
      const before = position;
      try {
        for await (const chunk of chunksFrom(connection, digest, position, made)) {
          const wanted = chunk.subarray(0, range.end - position);
          position += chunk.length;
          made.moved();
          await queue.push(wanted);
          made.moved();
          if (position >= range.end) break;
        }
        if (position < range.end || (isWhole && position > range.end))
          throw blobCorrupt(digest, `${position} bytes`);
      } catch (error) {
        // What brought something may try again and again.
        if (position > before) attempt = 0;
        const isOver = attempt >= maxAttempts || !isRetryable(asRemoteError(error));
        if (isOver || made.signal.aborted) throw error;
        await delay(resumeDelayMs, undefined, { signal: made.signal }).catch(() => undefined);
      }
    }
  });
  transfer.then(queue.end, queue.fail);
  let held: Uint8Array | undefined;
  try {
    for await (const chunk of queue) {
      if (held !== undefined) yield held;
      hasher?.update(chunk);
      held = chunk;
    }
  } catch (error) {
    throw blobFailure(error, "read", digest, signal);
  } finally {
    queue.stop();
  }
  if (hasher !== undefined && hasher.digestHex() !== digest.hash)
    throw blobCorrupt(digest, "another hash");
  if (held !== undefined) yield held;
}

/** From a byte of the blob to its end: who wants less stops. Some servers refuse a limit that is not the rest (bazel-remote). */
async function* chunksFrom(
  connection: RemoteConnection,
  digest: Digest,
  position: number,
  { channel, signal }: Transfer,
): AsyncGenerator<Uint8Array> {
  const { zstdStreams } = await connection.capabilities(signal);
  const { instanceName: instance, digestFunction } = connection;
  const compressor = zstdStreams ? "zstd" : "identity";
  const request = create(ReadRequestSchema, {
    resourceName: formatReadResource({ instance, digestFunction, digest, compressor }),
    readOffset: BigInt(position),
  });
  const bytes = toBinary(ReadRequestSchema, request);
  const answers = dataOf(channel.read(ByteStream.method.read, bytes, signal));
  if (compressor === "identity") yield* answers;
  else yield* decompressed(answers, digest);
}

async function* dataOf(answers: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  for await (const answer of answers) yield fromBinary(ReadResponseSchema, answer).data;
}

async function* decompressed(
  bytes: AsyncIterable<Uint8Array>,
  digest: Digest,
): AsyncGenerator<Uint8Array> {
  const source = Readable.from(zstdFrames(bytes));
  const transform = createZstdDecompress({ chunkSize: zstdOptions.chunkSize });
  source.once("error", (error) => transform.destroy(error));
  try {
    for await (const chunk of source.pipe(transform)) yield chunk as Uint8Array;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw code.startsWith("ZSTD") || code === "Z_BUF_ERROR"
      ? blobCorrupt(digest, "no zstd")
      : error;
  } finally {
    source.destroy();
    transform.destroy();
  }
}
