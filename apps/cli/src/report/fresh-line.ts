import type { OutputSink } from "@cuenv/runner";
import { fstatSync } from "node:fs";
import { isTerminal } from "./is-terminal.ts";

type Descriptor = 1 | 2;

const newline = 0x0a;
/** Whether the last byte that we wrote there ended no line. */
const isMidLine = { 1: false, 2: false };
let lastWritten: Descriptor = 2;
/** Whether a task had our streams as its own since we wrote last. */
let isForeign = false;
let shared: boolean | undefined;

/** To be told what goes to our own streams, tasks' output included. */
export function noteWritten(descriptor: Descriptor, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  isForeign = false;
  isMidLine[descriptor] = bytes[bytes.length - 1] !== newline;
  lastWritten = descriptor;
}

/** A task wrote to our streams by itself: nobody knows what. */
export function noteForeign(): void {
  isForeign = true;
}

/** A sink that notes what goes through it; what waits to be written goes `before`. */
export function noting(descriptor: Descriptor, sink: OutputSink, before: () => void): OutputSink {
  return {
    write: (bytes) => {
      before();
      noteWritten(descriptor, bytes);
      return sink.write(bytes);
    },
  };
}

/**
 * What must stand before a line of ours on stderr so that it continues nothing that somebody left unfinished there: on stderr itself, or on
 * stdout where both lead to one place (a terminal, `2>&1`).
 */
export function freshLine(): string {
  if (isForeign) return wrapUnlessAtStart();
  if (!isMidLine[1] && !isMidLine[2]) return "";
  shared ??= leadToOnePlace();
  return isMidLine[shared ? lastWritten : 2] ? "\n" : "";
}

/**
 * A terminal is not asked where its cursor is. A line full of spaces wraps to the next one unless it began at the start of this one, and the
 * carriage return goes back there: as shells do it before a prompt.
 */
function wrapUnlessAtStart(): string {
  if (!isTerminal(2) || process.env["TERM"] === "dumb") return "";
  const { columns } = process.stderr;
  if (!(columns > 0)) return "";
  return `${" ".repeat(columns)}\r`;
}

function leadToOnePlace(): boolean {
  try {
    const [out, err] = [fstatSync(1), fstatSync(2)];
    return out.dev === err.dev && out.ino === err.ino;
  } catch {
    return false; // Closed: nobody sees it.
  }
}
