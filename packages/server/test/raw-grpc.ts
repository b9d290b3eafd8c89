import { once } from "node:events";
import { type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";

/** A message with its prefix; `flag` 1: it says that it is compressed. */
export function frame(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5, flag === 0 ? 0 : 1);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export interface RawAnswer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One call in raw HTTP/2. */
export async function raw(
  port: number,
  path: string,
  body: Buffer | ((stream: ClientHttp2Stream) => void),
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const session = connect(`http://127.0.0.1:${port}`);
  const failed = new Promise<never>((_, reject) => void session.once("error", reject));
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    const chunks: Buffer[] = [];
    let answered: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on("response", (found) => void (answered = found));
    stream.on("trailers", (found) => void (trailers = found));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => undefined);
    if (typeof body === "function") body(stream);
    else stream.end(body);
    await Promise.race([once(stream, "close"), failed]);
    return { headers: answered, trailers, body: Buffer.concat(chunks) };
  } finally {
    session.destroy();
  }
}

export const statusOf = ({ headers, trailers }: RawAnswer): number =>
  Number(trailers["grpc-status"] ?? headers["grpc-status"] ?? -1);
