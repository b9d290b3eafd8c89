import { gunzipSync, inflateSync } from "node:zlib";
import { addPiece } from "./add-piece.ts";
import { GrpcError } from "./grpc-status.ts";
import type { MessageParts } from "./grpc-method.ts";

/*
 * A message on the wire (PROTOCOL-HTTP2.md, Length-Prefixed-Message): one byte that says whether it is compressed, four of its
 * length, big-endian, and the message.
 */
const prefixBytes = 5;

/** What a client may have compressed its messages with (`grpc-encoding`), besides not at all. */
export const acceptedEncodings = "identity,deflate,gzip";

export interface FrameReaderOptions {
  /** A longer message, or one that is longer once it is decompressed, ends the call (RESOURCE_EXHAUSTED). */
  readonly maxBytes: number;
  /** The `grpc-encoding` of the client. */
  readonly encoding: string | undefined;
}

/** Cuts what arrives into messages. */
export interface FrameReader {
  /** The messages that `chunk` completes. They may be views of it. @throws {GrpcError} */
  add(chunk: Buffer): readonly Buffer[];
  /** @throws {GrpcError} INVALID_ARGUMENT when the stream ended within a message */
  end(): void;
  /** What came of a message that is not complete. */
  readonly pendingBytes: number;
}

export function createFrameReader({ maxBytes, encoding }: FrameReaderOptions): FrameReader {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let wantedBytes = prefixBytes;
  return {
    get pendingBytes() {
      return pendingBytes;
    },
    add(chunk) {
      addPiece(pending, chunk);
      pendingBytes += chunk.length;
      if (pendingBytes < wantedBytes) return [];
      const [only] = pending;
      let rest = pending.length === 1 && only !== undefined ? only : Buffer.concat(pending);
      const messages: Buffer[] = [];
      for (;;) {
        wantedBytes = prefixBytes;
        if (rest.length < prefixBytes) break;
        const length = rest.readUInt32BE(1);
        if (length > maxBytes) throw tooLong(length, maxBytes);
        wantedBytes = prefixBytes + length;
        if (rest.length < wantedBytes) break;
        const message = rest.subarray(prefixBytes, wantedBytes);
        messages.push(rest[0] === 0 ? message : decompressed(message, encoding, maxBytes));
        rest = rest.subarray(wantedBytes);
      }
      pending = [];
      if (rest.length > 0) addPiece(pending, rest);
      pendingBytes = rest.length;
      return messages;
    },
    end() {
      if (pendingBytes > 0)
        throw new GrpcError("INVALID_ARGUMENT", "the stream ended in the middle of a message");
    },
  };
}

function tooLong(length: number, maxBytes: number): GrpcError {
  return new GrpcError(
    "RESOURCE_EXHAUSTED",
    `a message of ${length} bytes is larger than the ${maxBytes} that are taken`,
  );
}

function decompressed(message: Buffer, encoding: string | undefined, maxBytes: number): Buffer {
  const options = { maxOutputLength: maxBytes };
  try {
    if (encoding === "gzip") return gunzipSync(message, options);
    if (encoding === "deflate") return inflateSync(message, options);
  } catch (cause) {
    const isLong =
      cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE";
    throw isLong
      ? tooLong(maxBytes + 1, maxBytes)
      : new GrpcError("INVALID_ARGUMENT", `a message cannot be decompressed`, cause);
  }
  throw new GrpcError(
    "UNIMPLEMENTED",
    `messages compressed with ${encoding ?? "nothing that was named"} are not taken, but ${acceptedEncodings}`,
  );
}

/** A message with its prefix, to be written in one go when it is small. */
export function framed(message: MessageParts): readonly Uint8Array[] {
  let length = 0;
  for (const part of message) length += part.length;
  const prefix = Buffer.allocUnsafe(prefixBytes);
  prefix[0] = 0;
  prefix.writeUInt32BE(length, 1);
  return length <= joinedBytes
    ? [Buffer.concat([prefix, ...message], prefixBytes + length)]
    : [prefix, ...message];
}

/** Up to this size copying is cheaper than another write (64 KiB). */
const joinedBytes = 64 * 1024;
