import type { IncomingMessage, ServerResponse } from "node:http";
import { answerText } from "./operations-front-end.ts";

/** How slow who sends a body may be. */
export interface SenderLimits {
  /** Each so many ms … */
  readonly windowMs: number;
  /** … so many bytes must come: 1 KiB a second. */
  readonly windowBytes: number;
}

export const senderLimits: SenderLimits = { windowMs: 20_000, windowBytes: 20 * 1024 };

/** Requests whose client waits for a word before it sends its body (`Expect: 100-continue`). */
const waiting = new WeakMap<
  IncomingMessage,
  { readonly response: ServerResponse; readonly keepsAlive: boolean }
>();

/**
 * To be told of a request whose client waits. It gets its word when somebody begins to read the body; a refusal that needs no body comes instead of it, and ends the connection: nobody could say
 * whether what follows on it is the body or another request.
 */
export function holdBody(request: IncomingMessage, response: ServerResponse): void {
  waiting.set(request, { response, keepsAlive: response.shouldKeepAlive });
  response.shouldKeepAlive = false;
}

/** To be called before a body is read. */
export function wantBody(request: IncomingMessage): void {
  const held = waiting.get(request);
  if (held === undefined) return;
  waiting.delete(request);
  held.response.shouldKeepAlive = held.keepsAlive;
  held.response.writeContinue();
}

/** Ends a request whose body comes too slowly or not at all, with 408. */
export function watchSender(
  request: IncomingMessage,
  response: ServerResponse,
  { windowMs, windowBytes }: SenderLimits,
): void {
  const { headers, socket } = request;
  const hasBody =
    headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
  if (!hasBody) return;
  let seen = socket.bytesRead;
  const timer = setInterval(() => {
    const came = socket.bytesRead - seen;
    seen = socket.bytesRead;
    if (request.complete) return clearInterval(timer);
    // Bytes that wait for us, or that we told nobody to send, are not the sender's delay.
    if (came >= windowBytes || request.readableLength > 0 || waiting.has(request)) return;
    clearInterval(timer);
    if (response.headersSent) return void request.destroy();
    response.shouldKeepAlive = false;
    response.once("finish", () => request.destroy());
    answerText(response, 408, "the body comes too slowly\n");
  }, windowMs);
  timer.unref();
  response.once("close", () => clearInterval(timer));
}
