import type { OutputSink } from "@cuenv/runner";
import { fstatSync } from "node:fs";

type Descriptor = 1 | 2;

const newline = 0x0a;
/** Whether the last byte that we wrote there ended no line. */
const isMidLine = { 1: false, 2: false };
let lastWritten: Descriptor = 2;
let shared: boolean | undefined;

/** To be told what goes to our own streams, tasks' output included. What a task writes by itself, with our streams as its own, nobody knows. */
export function noteWritten(descriptor: Descriptor, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  isMidLine[descriptor] = bytes[bytes.length - 1] !== newline;
  lastWritten = descriptor;
}

/** A sink that notes what goes through it. */
export function noting(descriptor: Descriptor, sink: OutputSink): OutputSink {
  return {
    write: (bytes) => {
      noteWritten(descriptor, bytes);
      return sink.write(bytes);
    },
  };
}

/**
 * Whether a line of ours on stderr would continue what somebody left unfinished there: on stderr itself, or on stdout where both lead to one
 * place (a terminal, `2>&1`).
 */
export function isStderrMidLine(): boolean {
  if (!isMidLine[1] && !isMidLine[2]) return false;
  shared ??= leadToOnePlace();
  return isMidLine[shared ? lastWritten : 2];
}

function leadToOnePlace(): boolean {
  try {
    const [out, err] = [fstatSync(1), fstatSync(2)];
    return out.dev === err.dev && out.ino === err.ino;
  } catch {
    return false; // Closed: nobody sees it.
  }
}
