import type { ServerResponse } from "node:http";

/** A whole answer in JSON. */
export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  // As text: Node sends it with the headers, in one piece.
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

/**
 * An error as the client reads it. `forbidden` has a meaning of its own: the client then stops asking (reads) or sending (writes) for this
 * run, with one warning; any other word, or no JSON, gives a warning for every artifact.
 */
export function answerError(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
): void {
  answerJson(response, status, { error: { code, message } });
}
