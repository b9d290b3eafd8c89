import type { IncomingMessage } from "node:http";

/** The token of a request: of `Bearer`, or the password of `Basic`, which clients send that have it in their URL. */
export function presentedToken(request: IncomingMessage): string | undefined {
  return tokenOf(request.headers.authorization);
}

/** The token in an `authorization` header, of HTTP or of gRPC's metadata. */
export function tokenOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const [, scheme = "", value = ""] = /^(\S+) +(\S+) *$/.exec(header) ?? [];
  switch (scheme.toLowerCase()) {
    case "bearer":
      return value;
    case "basic": {
      const pair = Buffer.from(value, "base64").toString("utf8");
      return pair.slice(pair.indexOf(":") + 1);
    }
    default:
      // Something was presented: it is not nobody who asks.
      return header;
  }
}
