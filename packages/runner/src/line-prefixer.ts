import type { OutputSink } from "./output-sink.ts";

const newline = 0x0a;
const carriageReturn = 0x0d;
/** A line that is longer is cut: a program that never ends its line must not fill our memory. */
const longestLine = 64 * 1024;

/** One stream of one task, written line by line behind a prefix. */
export interface LinePrefixer {
  readonly write: (chunk: Uint8Array) => void | Promise<void>;
  /** Writes what is left of a last line that was not ended, and ends it. */
  readonly end: () => void | Promise<void>;
}

/**
 * Whole lines only, so that lines of tasks that run at once never mix. Of a line that is drawn over and over with
 * carriage returns (a progress bar), what a terminal would show in the end is written.
 */
export function createLinePrefixer(sink: OutputSink, prefix: Uint8Array): LinePrefixer {
  let partial: Uint8Array[] = [];
  let partialLength = 0;

  function takePartial(tail: Uint8Array): Uint8Array {
    if (partialLength === 0) return tail;
    const line = Buffer.concat([...partial, tail]);
    partial = [];
    partialLength = 0;
    return line;
  }

  function keep(rest: Uint8Array, out: Uint8Array[]): void {
    if (rest.length === 0) return;
    partial.push(Uint8Array.from(rest));
    partialLength += rest.length;
    if (partialLength <= longestLine) return;
    const line = afterLastReturn(takePartial(new Uint8Array(0)));
    if (line.length <= longestLine) {
      partial = [line];
      partialLength = line.length;
    } else out.push(prefix, line, lineEnd);
  }

  return {
    write(chunk) {
      const out: Uint8Array[] = [];
      let start = 0;
      for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
        out.push(prefix, afterLastReturn(takePartial(chunk.subarray(start, end))), lineEnd);
        start = end + 1;
      }
      keep(chunk.subarray(start), out);
      return out.length === 0 ? undefined : sink.write(Buffer.concat(out));
    },
    end() {
      const line = afterLastReturn(takePartial(new Uint8Array(0)));
      return line.length === 0 ? undefined : sink.write(Buffer.concat([prefix, line, lineEnd]));
    },
  };
}

const lineEnd: Uint8Array = Uint8Array.of(newline);

/** Without returns at the end (the line ends of Windows). */
function afterLastReturn(line: Uint8Array): Uint8Array {
  let end = line.length;
  while (end > 0 && line[end - 1] === carriageReturn) end -= 1;
  const trimmed = line.subarray(0, end);
  return trimmed.subarray(trimmed.lastIndexOf(carriageReturn) + 1);
}
