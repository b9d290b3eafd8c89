import { status as grpcStatus } from "@grpc/grpc-js";
import { proxyTrouble } from "./grpc-words.ts";

const internalCode: number = grpcStatus.INTERNAL;
const unavailableCode: number = grpcStatus.UNAVAILABLE;

/** How a call of the remote cache ended that did not end well. */
export class RemoteError extends Error {
  override readonly name = "RemoteError";
  /** Name of the status: `UNAVAILABLE`, `NOT_FOUND` … */
  readonly status: string;

  constructor(status: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
  }
}

/** What a server says, for people: bounded, without control characters, and without the token, which some repeat. */
export type Told = (text: string) => string;

const maxToldChars = 300;

export function createTold(token: string | undefined): Told {
  return (text) => {
    const hidden = token === undefined || token === "" ? text : text.replaceAll(token, "…");
    return hidden
      .slice(0, maxToldChars)
      .replaceAll(/[\p{Cc}]+/gu, " ")
      .trim();
  };
}

/** What grpc-js ends its own texts with where it has nothing to note. */
const emptyNote = "Resolution note:";

const toldPlainly: Told = createTold(undefined);

/** What was said by grpc-js: a name for its number, and the text of the server. */
export function asRemoteError(error: unknown, told: Told = toldPlainly): RemoteError {
  if (error instanceof RemoteError) return error;
  if (!(error instanceof Error)) return new RemoteError("UNKNOWN", told(String(error)));
  const isStatus = "code" in error && typeof error.code === "number";
  const code = isStatus ? Number(error.code) : grpcStatus.UNKNOWN;
  const details = ("details" in error ? String(error.details) : error.message).trim();
  const said = details.endsWith(emptyNote) ? details.slice(0, -emptyNote.length) : details;
  const trouble = code === unavailableCode ? proxyTrouble() : undefined;
  const text = told(trouble === undefined ? said : `${trouble} (${said})`);
  // A connection that broke in mid-stream is told as INTERNAL.
  const isBroken = code === internalCode && text.includes("RST_STREAM");
  const name = isBroken ? "UNAVAILABLE" : (grpcStatus[code] ?? "UNKNOWN");
  // A status is all in its name and text, and as a cause would have what the server said as it said it.
  return new RemoteError(
    name,
    text === "" ? name : `${name}: ${text}`,
    isStatus ? undefined : error,
  );
}

/** Statuses that may be others when the same is asked again: a server that restarts, a connection that broke, an overload. */
const retryable: ReadonlySet<string> = new Set(["UNAVAILABLE", "ABORTED", "RESOURCE_EXHAUSTED"]);

export function isRetryable({ status }: RemoteError): boolean {
  return retryable.has(status);
}

/** Statuses that say nothing of one call, but that the remote cache is of no use now. Others are answers. */
const failures: ReadonlySet<string> = new Set([
  ...retryable,
  "DEADLINE_EXCEEDED",
  "INTERNAL",
  "UNKNOWN",
  "UNIMPLEMENTED",
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
  "DATA_LOSS",
]);

export function isFailure({ status }: RemoteError): boolean {
  return failures.has(status);
}
