import { fromBinary } from "@bufbuild/protobuf";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import type { HostileCall } from "./hostile-calls.ts";

/** How a call ended. */
export type Ending =
  | {
      readonly kind: "answered";
      readonly http: number;
      readonly status: number | undefined;
      readonly message: string;
      readonly body: Buffer;
    }
  /** We ended it. */
  | { readonly kind: "cancelled" }
  /** The server reset it, without an answer. */
  | { readonly kind: "reset"; readonly code: number }
  | { readonly kind: "hung" };

/** Makes a call to its end, which has to come within `deadlineMs`. */
export async function makeHostileCall(
  session: ClientHttp2Session,
  call: HostileCall,
  deadlineMs: number,
): Promise<Ending> {
  // Node would end a GET by itself.
  const stream = session.request({ ...call.headers }, { endStream: false });
  const chunks: Buffer[] = [];
  let answered: IncomingHttpHeaders | undefined;
  let trailers: IncomingHttpHeaders = {};
  let isOver = false;
  stream.on("error", () => undefined);
  stream.on("response", (found) => void (answered = found));
  stream.on("trailers", (found) => void (trailers = found));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<Ending>((resolve) => {
    const settle = (ending: Ending): void => {
      isOver = true;
      clearTimeout(deadline);
      // Never reset: a stream that both sides reset at one time is freed twice by the HTTP/2 of Node 26.10, which ends this process, not the server's.
      // hostile-connection.ts resets streams.
      if (!stream.destroyed && !stream.writableEnded) stream.end();
      resolve(ending);
    };
    const deadline = setTimeout(() => settle({ kind: "hung" }), deadlineMs);
    stream.once("end", () => {
      // Of a stream that was reset, too.
      if (answered === undefined || isCancelled) return;
      const status = trailers["grpc-status"] ?? answered["grpc-status"];
      settle({
        kind: "answered",
        http: Number(answered[":status"]),
        status: status === undefined ? undefined : Number(status),
        message: String(trailers["grpc-message"] ?? answered["grpc-message"] ?? ""),
        body: Buffer.concat(chunks),
      });
    });
    stream.once("close", () => {
      if (!isOver)
        settle(isCancelled ? { kind: "cancelled" } : { kind: "reset", code: stream.rstCode });
    });
  });
  let isCancelled = false;
  for (const piece of call.pieces) {
    if (isOver || stream.destroyed) break;
    stream.write(piece);
    if (call.pieces.length > 1) await turn();
  }
  if (!isOver && call.ending === "end") stream.end();
  if (call.ending === "vanish") {
    await delay(call.pauseMs);
    isCancelled = true;
    session.destroy();
  }
  return ended;
}

/** OK, and what a client has only itself to blame for. INTERNAL, UNKNOWN, UNAVAILABLE and DATA_LOSS are what a server says of itself. */
const legal = new Set([0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16]);
const maxMessageChars = 8192;

/** What is wrong with how a call ended; undefined: nothing. */
export function problemOf(call: HostileCall, ending: Ending): string | undefined {
  switch (ending.kind) {
    case "hung":
      return "it has no end";
    case "cancelled":
      return undefined;
    case "reset":
      return call.isMalformed ? undefined : `it was reset (${ending.code}) without a status`;
    case "answered":
      return answerProblem(call, ending);
  }
}

function answerProblem(
  { isForeign, answer }: HostileCall,
  { http, status, message, body }: Ending & { kind: "answered" },
): string | undefined {
  if (isForeign) return http === 415 ? undefined : `HTTP status ${http} for what is no gRPC`;
  if (http !== 200) return `HTTP status ${http}`;
  if (status === undefined || !legal.has(status)) return `status ${status}: ${message}`;
  if (!/^[\x20-\x7e]*$/.test(message) || message.length > maxMessageChars)
    return `message ${JSON.stringify(message)}`;
  let rest = body;
  while (rest.length >= 5) {
    const end = 5 + rest.readUInt32BE(1);
    if (end > rest.length) break;
    if (answer !== undefined) fromBinary(answer, rest.subarray(5, end));
    rest = rest.subarray(end);
  }
  return rest.length === 0 ? undefined : `the answer ends in the middle of a message`;
}
