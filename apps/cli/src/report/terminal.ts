import { CuenvError } from "@cuenv/errors";
import { writeSync } from "node:fs";
import { styleText } from "node:util";
import { freshLine, noteWritten } from "./fresh-line.ts";
import { isTerminal } from "./is-terminal.ts";

type Style = Parameters<typeof styleText>[0];

/** Whether stderr, where our own lines go, may be coloured: NO_COLOR and FORCE_COLOR decide, else whether it is a terminal. */
export function colorsAllowed(env: NodeJS.ProcessEnv, inTerminal: boolean): boolean {
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") return false;
  const force = env["FORCE_COLOR"];
  if (force !== undefined && force !== "") return force !== "0" && force !== "false";
  return inTerminal && env["TERM"] !== "dumb";
}

/** A painter for what is written to stdout (1) or stderr (2), which leaves text alone where colours are not allowed. */
export function painterOf(descriptor: 1 | 2): (style: Style, text: string) => string {
  const allowed = colorsAllowed(process.env, isTerminal(descriptor));
  return (style, text) => (allowed ? styleText(style, text, { validateStream: false }) : text);
}

/** Writes all bytes before it returns; a reader that went away is no error of ours (`cuenv … | head`). */
export function writeAll(descriptor: 1 | 2, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EPIPE") return;
      if (code !== "EAGAIN") throw error;
      // A non-blocking pipe whose reader is slow: wait a little, without spinning.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** What of a text may be seen: all of it, until there are secrets (hidden-secrets.ts, which most runs do not need). */
export let masked: (text: string) => string = (text) => text;

export function showOnly(filter: (text: string) => string): void {
  masked = filter;
}

/** @throws {CuenvError} OUTPUT_UNWRITABLE */
export function printOut(text: string): void {
  flushErr();
  try {
    writeAll(1, Buffer.from(masked(text)));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CuenvError("OUTPUT_UNWRITABLE", `cannot write to stdout: ${reason}`, {
      hint: "What was to be done is done; only its report is cut.",
      cause,
    });
  }
}

/** A message of ours: on a line of its own, whatever a task left unfinished before. */
export function printErr(text: string): void {
  flushErr();
  writeErr(text);
}

/** How long a line may wait for others: less than a person sees. */
const togetherMs = 40;
let waiting = "";
let timer: NodeJS.Timeout | undefined;

/** As {@link printErr}, but together with those that come soon after: a call for each of 200 hits is a tenth of a warm run. */
export function printErrSoon(text: string): void {
  waiting += text;
  if (timer !== undefined) return;
  timer = setTimeout(flushErr, togetherMs).unref();
  process.once("exit", flushErr);
}

/** Whoever writes to stdout or stderr by other ways calls this first, so that the order stays. */
export function flushErr(): void {
  if (timer === undefined) return;
  clearTimeout(timer);
  timer = undefined;
  process.removeListener("exit", flushErr);
  const text = waiting;
  waiting = "";
  writeErr(text);
}

/** Of a stderr that cannot be written to (a full disk behind a redirection) nobody can be told: what is being done goes on, with its own end. */
function writeErr(text: string): void {
  const bytes = Buffer.from(freshLine() + masked(text));
  noteWritten(2, bytes);
  try {
    writeAll(2, bytes);
  } catch {
    // See above.
  }
}
