import type { IncomingMessage, ServerResponse } from "node:http";
import { wantBody } from "./sender-watch.ts";

/** Why a body is not taken; nothing of it is read then. */
export type RefusedBody = { readonly kind: "lengthRequired" } | { readonly kind: "tooLarge" };

/** The length that a request announces, if it is one that we take. Chunked bodies have none. */
export function announcedLength(
  request: IncomingMessage,
  maxBytes: number,
): { readonly kind: "length"; readonly sizeBytes: number } | RefusedBody {
  const header = request.headers["content-length"];
  if (header === undefined || !/^\d{1,15}$/.test(header)) return { kind: "lengthRequired" };
  const sizeBytes = Number(header);
  return sizeBytes > maxBytes ? { kind: "tooLarge" } : { kind: "length", sizeBytes };
}

/**
 * The bytes of a body as they come. Who stops early still has an answer to send; fewer than announced end in an error.
 */
export function bodyChunks(request: IncomingMessage): AsyncIterable<Buffer> {
  wantBody(request);
  return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

/** All bytes of a small body; undefined when it is longer than `maxBytes`. @throws when the client goes away before its end */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of bodyChunks(request)) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Where the connection ends with the answer (`Connection: close`, HTTP/1.0 as proxies speak it), Node would close it while the body still comes. What comes then is answered with a reset, over
 * which clients lose the answer: every second refusal of an upload. So only our side ends, until {@link discardRest} has seen the rest.
 */
export function outlastBody(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  response.prependOnceListener("finish", () => {
    if (request.complete || request.destroyed) return;
    let isLast = false;
    socket.destroySoon = () => {
      isLast = true;
      socket.end();
    };
    request.once("end", () => {
      Reflect.deleteProperty(socket, "destroySoon");
      if (isLast) socket.destroySoon();
    });
  });
}

/** What is still sent of an answered request goes nowhere, for so long that its sender may read the answer; then the connection ends. */
export function discardRest(request: IncomingMessage, unwantedMs: number): void {
  if (request.complete || request.destroyed) return;
  request.resume();
  const end = setTimeout(() => request.destroy(), unwantedMs);
  end.unref();
  request.once("close", () => clearTimeout(end));
  request.once("end", () => clearTimeout(end));
}
