import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { BlobSource } from "@cuenv/cas";
import { createHasher, type Digest } from "@cuenv/digest";
import {
  ByteStream,
  formatWriteResource,
  QueryWriteStatusRequestSchema,
  QueryWriteStatusResponseSchema,
  WriteRequestSchema,
  WriteResponseSchema,
} from "@cuenv/reapi/messages";
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { createZstdCompress } from "node:zlib";
import { blobFailure, digestMismatch } from "./blob-failure.ts";
import { asRemoteError, isRetryable, RemoteError } from "./remote-error.ts";
import type { RemoteConnection, Transfer } from "./remote-connection.ts";
import { maxAttempts } from "./retry.ts";
import { chunksOf, isRepeatable } from "./source-chunks.ts";
import { zstdOptions } from "./zstd-options.ts";

/** Bytes of one message. */
const messageBytes = 256 * 1024;
const resumeDelayMs = 200;
/**
 * What was handed to the socket last moves without our seeing it: a window of some MiB (ours has 4). On a line of 1 Mbit/s that is half a minute, in which the
 * server is silent and well.
 */
const unseenBytes = 4 * 1024 * 1024;
const slowestBytesPerMs = 128;

/**
 * Uploads a large blob. What is there already is not sent to its end. Where the source can be read again, an upload that breaks off goes on at the byte that
 * the server has, or begins anew where it has none.
 * @throws {CuenvError} CAS_DIGEST_MISMATCH when the source has other bytes, CAS_STORE_UNAVAILABLE; what the source fails with; the signal's reason
 */
export async function writeStream(
  connection: RemoteConnection,
  digest: Digest,
  source: BlobSource,
  signal: AbortSignal | undefined,
): Promise<void> {
  const attempts = isRepeatable(source) ? maxAttempts : 1;
  try {
    const { zstdStreams } = await connection.capabilities(signal);
    const compressor = zstdStreams ? "zstd" : "identity";
    await connection.transfer({ access: "write", signal }, async (transfer) => {
      const { instanceName: instance, digestFunction } = connection;
      const resource = {
        instance,
        digestFunction,
        digest,
        compressor,
        uploadId: randomUUID(),
      } as const;
      const upload: Upload = {
        connection,
        digest,
        source,
        transfer,
        isZstd: zstdStreams,
        name: formatWriteResource(resource),
      };
      let offset = 0;
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await send(upload, offset);
        } catch (error) {
          const isOver = attempt >= attempts || !isRetryable(asRemoteError(error));
          if (isOver || transfer.signal.aborted) throw error;
          await delay(resumeDelayMs, undefined, { signal: transfer.signal }).catch(() => undefined);
          offset = await committedBytes(upload);
        }
      }
    });
  } catch (error) {
    throw blobFailure(error, "write", digest, signal);
  }
}

interface Upload {
  readonly connection: RemoteConnection;
  readonly digest: Digest;
  readonly source: BlobSource;
  readonly transfer: Transfer;
  readonly isZstd: boolean;
  readonly name: string;
}

async function send(upload: Upload, offset: number): Promise<void> {
  const { digest, transfer, isZstd } = upload;
  const { channel, signal } = transfer;
  const sent = { wireBytes: 0 };
  const plain = checked(upload, offset);
  const bytes = isZstd ? compressed(plain) : plain;
  const requests = requestsOf(upload, bytes, offset, sent);
  const answer = await channel.write(ByteStream.method.write, requests, signal);
  const committed = Number(fromBinary(WriteResponseSchema, answer).committedSize);
  // All of the blob; of a compressed one also -1, or what travelled: servers differ.
  const isAll =
    committed === digest.sizeBytes ||
    (isZstd && (committed === -1 || committed === offset + sent.wireBytes));
  if (!isAll)
    throw new RemoteError(
      "UNAVAILABLE",
      `the remote cache took ${committed} of ${digest.sizeBytes} bytes`,
    );
}

/** The source from a byte on. Its hash is known before its last bytes are given, so that a wrong one is never finished. */
async function* checked(upload: Upload, offset: number): AsyncGenerator<Uint8Array> {
  const { connection, digest, source } = upload;
  const hasher = createHasher(connection.digestFunction);
  let position = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of chunksOf(source)) {
    if (held !== undefined) yield held;
    hasher.update(chunk);
    held = chunk.subarray(Math.max(0, Math.min(chunk.length, offset - position)));
    position += chunk.length;
    if (position > digest.sizeBytes) break;
  }
  const found = { hash: hasher.digestHex(), sizeBytes: position };
  if (found.hash !== digest.hash || found.sizeBytes !== digest.sizeBytes)
    throw digestMismatch(digest, found);
  if (held !== undefined) yield held;
}

async function* requestsOf(
  { name, transfer }: Upload,
  bytes: AsyncIterable<Uint8Array>,
  offset: number,
  sent: { wireBytes: number },
): AsyncGenerator<Uint8Array> {
  let last: Uint8Array = new Uint8Array();
  const request = (data: Uint8Array, finishWrite: boolean): Uint8Array => {
    const message = create(WriteRequestSchema, {
      resourceName: sent.wireBytes === 0 ? name : "",
      writeOffset: BigInt(offset + sent.wireBytes),
      data,
      finishWrite,
    });
    sent.wireBytes += data.length;
    transfer.moved();
    return toBinary(WriteRequestSchema, message);
  };
  for await (const chunk of bytes) {
    for (let start = 0; start < chunk.length; start += messageBytes) {
      if (last.length > 0) yield request(last, false);
      last = chunk.subarray(start, start + messageBytes);
    }
  }
  const end = request(last, true);
  transfer.moved(Math.min(sent.wireBytes, unseenBytes) / slowestBytesPerMs);
  yield end;
}

async function* compressed(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = Readable.from(bytes);
  const transform = createZstdCompress(zstdOptions);
  source.once("error", (error) => transform.destroy(error));
  try {
    for await (const chunk of source.pipe(transform)) yield chunk as Uint8Array;
  } finally {
    source.destroy();
    transform.destroy();
  }
}

/** How much of the blob the server has; 0 where it cannot say. */
async function committedBytes({ name, digest, transfer }: Upload): Promise<number> {
  const request = create(QueryWriteStatusRequestSchema, { resourceName: name });
  const bytes = toBinary(QueryWriteStatusRequestSchema, request);
  try {
    const { queryWriteStatus } = ByteStream.method;
    const answer = await transfer.channel.call(queryWriteStatus, bytes, transfer.signal);
    const { committedSize } = fromBinary(QueryWriteStatusResponseSchema, answer);
    const committed = Number(committedSize);
    return committed > 0 && committed < digest.sizeBytes ? committed : 0;
  } catch {
    return 0;
  }
}
