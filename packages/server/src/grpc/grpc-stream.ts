import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { ByteBudget, ByteShare } from "./byte-budget.ts";
import { createFrameReader, type FrameReader, framed } from "./message-frames.ts";
import { GrpcError, grpcStatus, type GrpcStatusName } from "./grpc-status.ts";
import type { MessageParts, StreamedMessage } from "./grpc-method.ts";

/** Status messages are cut to so many characters: they travel in a header. */
const maxMessageChars = 1024;

/** One call on the wire: its messages and its end. Nothing of it throws for what the client does, but with a {@link GrpcError}. */
export interface GrpcStream {
  /** The one message of a unary call. @throws {GrpcError} */
  message(): Promise<Buffer>;
  /** All messages, as they come; who stops early leaves the rest unread. @throws {GrpcError} */
  messages(): AsyncIterable<Buffer>;
  /** Waits while the client does not read. @throws {GrpcError} CANCELLED when it is gone */
  write(message: StreamedMessage): Promise<void>;
  /** The last message, and the end. */
  end(message: MessageParts): void;
  /** Ends the call with a status; OK only after messages. The first end counts. */
  close(status: GrpcStatusName, message?: string): void;
}

export interface GrpcStreamOptions {
  readonly maxMessageBytes: number;
  /** Who neither sends what is waited for nor reads what is sent for so long (ms) is cut off. */
  readonly idleMs: number;
  /** Of what came and is no whole message yet, or was not taken yet. */
  readonly requests: ByteBudget;
  /** Of what the client did not read yet. */
  readonly answers: ByteBudget;
}

export function openGrpcStream(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  options: GrpcStreamOptions,
): GrpcStream {
  const encoding = headers["grpc-encoding"];
  const reader = createFrameReader({
    maxBytes: options.maxMessageBytes,
    encoding: typeof encoding === "string" ? encoding : undefined,
  });
  const received = options.requests.share();
  const unread = options.answers.share();
  stream.once("close", () => {
    received.end();
    unread.end();
  });
  let isClosed = false;
  let isWaiting = false;
  const waiting = async <T>(step: () => Promise<T>): Promise<T> => {
    isWaiting = true;
    try {
      return await step();
    } finally {
      isWaiting = false;
    }
  };
  const close: GrpcStream["close"] = (status, message = "") => {
    if (isClosed) return;
    isClosed = true;
    endStream(stream, status, message);
  };
  // A timeout comes once; its stream may be idle for our reasons then, and later for its client's.
  const watchIdle = (): void => {
    stream.setTimeout(options.idleMs, () => {
      if (stream.destroyed) return;
      // Who does not read its answer to the end would hold it for ever.
      if (isClosed) cutOff(stream, options.idleMs);
      else if (isWaiting) close("ABORTED", `nothing came or went for ${options.idleMs / 1000} s`);
      watchIdle();
    });
  };
  watchIdle();
  return {
    message: () => waiting(() => readOne(stream, reader, received)),
    messages: async function* () {
      const chunks = stream.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]();
      for (;;) {
        const { done, value } = await waiting(() => nextChunk(chunks));
        assertPresent(stream);
        if (done === true) break;
        const chunk = value as Buffer;
        received.set(reader.pendingBytes + chunk.length);
        yield* reader.add(chunk);
        received.set(reader.pendingBytes);
      }
      reader.end();
    },
    async write({ parts, onSent }) {
      assertPresent(stream);
      send(stream, unread, parts, onSent);
      if (stream.writableNeedDrain) await waiting(() => drained(stream));
      unread.set(0);
    },
    end(message) {
      if (isClosed || stream.destroyed || stream.closed) return;
      send(stream, unread, message);
      isClosed = true;
      finishAnswer(stream, "OK", "");
    },
    close,
  };
}

async function nextChunk(
  chunks: AsyncIterator<unknown>,
): Promise<{ readonly done?: boolean; readonly value: unknown }> {
  try {
    return await chunks.next();
  } catch (cause) {
    throw new GrpcError("CANCELLED", "the client ended the call", cause);
  }
}

/** @throws {GrpcError} UNAVAILABLE, and nothing sent, where too much is under way */
function send(
  stream: ServerHttp2Stream,
  unread: ByteShare,
  parts: MessageParts,
  onSent?: () => void,
): void {
  const pieces = framed(parts);
  unread.set(pieces.reduce((sum, { length }) => sum + length, 0));
  beginAnswer(stream);
  const last = pieces.length - 1;
  // A stream that is destroyed calls back, too, not always with an error: some of the bytes may be on their way all the same, and are not to be overwritten.
  const sent = (error?: Error | null): void => {
    if ((error === undefined || error === null) && !stream.destroyed) onSent?.();
  };
  for (const [index, piece] of pieces.entries())
    stream.write(piece, index === last && onSent !== undefined ? sent : undefined);
}

/**
 * Ends a stream whose client does not read. What was handed to its connection already lies in our memory until it is out, which an answer to a ping behind it says;
 * who does not answer either loses the connection.
 */
function cutOff(stream: ServerHttp2Stream, answerMs: number): void {
  const { session } = stream;
  if (session === undefined || session.destroyed) return void stream.destroy();
  const gone = setTimeout(() => session.destroy(), answerMs);
  gone.unref();
  const isSent = session.ping((error) => {
    clearTimeout(gone);
    if (error === null) stream.destroy();
  });
  // More pings are on their way than may be: there will be another look.
  if (!isSent) clearTimeout(gone);
}

/** A stream that was reset ends as one that is complete does: only this tells them apart. */
function assertPresent(stream: ServerHttp2Stream): void {
  if (stream.aborted || stream.destroyed || stream.closed)
    throw new GrpcError("CANCELLED", "the client ended the call");
}

function readOne(
  stream: ServerHttp2Stream,
  reader: FrameReader,
  received: ByteShare,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let message: Buffer | undefined;
    let receivedBytes = 0;
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
      received.set(0);
    };
    const fail = (error: unknown): void => {
      if (isSettled) return;
      settle();
      reject(error);
    };
    stream.on("data", (chunk: Buffer) => {
      try {
        receivedBytes += chunk.length;
        received.set(receivedBytes);
        for (const found of reader.add(chunk)) {
          if (message !== undefined)
            throw new GrpcError("INVALID_ARGUMENT", "a unary call has one message");
          message = found;
        }
      } catch (error) {
        stream.removeAllListeners("data");
        stream.pause();
        fail(error);
      }
    });
    stream.once("end", () => {
      try {
        assertPresent(stream);
        reader.end();
        if (message === undefined)
          throw new GrpcError("INVALID_ARGUMENT", "the call has no message");
        settle();
        resolve(message);
      } catch (error) {
        fail(error);
      }
    });
    stream.once("close", () => {
      if (!isSettled) fail(new GrpcError("CANCELLED", "the client ended the call"));
    });
  });
}

async function drained(stream: ServerHttp2Stream): Promise<void> {
  if (!stream.destroyed && stream.writableNeedDrain)
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stream.off("drain", done);
        stream.off("close", done);
        resolve();
      };
      stream.on("drain", done);
      stream.on("close", done);
    });
  assertPresent(stream);
}

const answerHeaders = { ":status": 200, "content-type": "application/grpc+proto" } as const;

function beginAnswer(stream: ServerHttp2Stream): void {
  if (!stream.headersSent) stream.respond(answerHeaders, { waitForTrailers: true });
}

/** Bytes that a header value may not have are percent-encoded (PROTOCOL-HTTP2.md, Status-Message). */
function statusFields(status: GrpcStatusName, message: string): Record<string, string> {
  const code = String(grpcStatus[status]);
  if (message === "") return { "grpc-status": code };
  const text = message.slice(0, maxMessageChars).toWellFormed();
  const encoded = text.replaceAll(/[^\x20-\x24\x26-\x7e]/gu, (char) => encodeURIComponent(char));
  return { "grpc-status": code, "grpc-message": encoded };
}

function endStream(stream: ServerHttp2Stream, status: GrpcStatusName, message: string): void {
  if (stream.destroyed || stream.closed) return;
  if (stream.headersSent) finishAnswer(stream, status, message);
  else {
    stream.respond({ ...answerHeaders, ...statusFields(status, message) }, { endStream: true });
    abandonRequest(stream);
  }
}

function finishAnswer(stream: ServerHttp2Stream, status: GrpcStatusName, message: string): void {
  stream.once("wantTrailers", () => {
    if (!stream.closed && !stream.destroyed) stream.sendTrailers(statusFields(status, message));
    abandonRequest(stream);
  });
  stream.end();
}

/** Who goes on sending after the answer is reset (ms). At once would be too early: a reset overtakes what waits to be sent, the answer itself. */
const unreadMs = 5000;

/**
 * What the client still sends is not wanted, and has to be read all the same: a stream with bytes in it never closes, and with it its connection. Most
 * clients stop by themselves when they have read the status.
 */
function abandonRequest(stream: ServerHttp2Stream): void {
  if (stream.readableEnded) return;
  for (const event of ["data", "readable"]) stream.removeAllListeners(event);
  // Whether somebody listens for "readable" is found out by Node in its next turn; only then can it flow.
  setImmediate(() => stream.resume());
  const rest = setTimeout(() => {
    if (stream.closed) stream.destroy();
    else stream.close(constants.NGHTTP2_NO_ERROR);
  }, unreadMs);
  stream.once("close", () => clearTimeout(rest));
}
