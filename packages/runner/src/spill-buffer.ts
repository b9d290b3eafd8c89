import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type StreamName = "stdout" | "stderr";

export type HandOut = (
  take: (stream: StreamName, chunk: Uint8Array) => void | Promise<void>,
) => Promise<void>;

/** Chunks of two streams in the order in which they came, with bounded memory. */
export interface SpillBuffer {
  /** @returns false when the chunk could not be kept: memory is at its bound, and the disk does not take it */
  readonly add: (stream: StreamName, chunk: Uint8Array) => boolean;
  /** Empties the buffer, and gives what hands its content out, in order; to be called once. */
  readonly detach: () => HandOut;
}

/** What one task may hold in memory; more goes to a temporary file. */
const memoryLimit = 1024 * 1024;
const readSize = 256 * 1024;

interface Content {
  /** Runs of bytes of one stream, in order. */
  readonly pieces: { readonly stream: StreamName; length: number }[];
  /** The first bytes are in the file, the others here. */
  memory: Uint8Array[];
  inMemory: number;
  file: number | undefined;
  inFile: number;
}

export function createSpillBuffer(): SpillBuffer {
  let content = emptyContent();
  return {
    add(stream, chunk) {
      if (content.inMemory > 0 && content.inMemory + chunk.length > memoryLimit && !spill(content))
        return false;
      // The stream's buffer may be reused when we return.
      content.memory.push(Uint8Array.from(chunk));
      content.inMemory += chunk.length;
      const last = content.pieces.at(-1);
      if (last?.stream === stream) last.length += chunk.length;
      else content.pieces.push({ stream, length: chunk.length });
      return true;
    },
    detach() {
      const detached = content;
      content = emptyContent();
      return async (take) => {
        try {
          await handOut(detached, take);
        } finally {
          if (detached.file !== undefined) closeSync(detached.file);
        }
      };
    },
  };
}

function emptyContent(): Content {
  return { pieces: [], memory: [], inMemory: 0, file: undefined, inFile: 0 };
}

/** Moves what is in memory to the file. @returns false when the disk does not take it; nothing is lost then */
function spill(content: Content): boolean {
  const bytes = Buffer.concat(content.memory);
  try {
    content.file ??= openNameless();
    for (let written = 0; written < bytes.length;)
      written += writeSync(
        content.file,
        bytes,
        written,
        bytes.length - written,
        content.inFile + written,
      );
  } catch {
    return false;
  }
  content.inFile += bytes.length;
  content.memory = [];
  content.inMemory = 0;
  return true;
}

async function handOut(content: Content, take: Parameters<HandOut>[0]): Promise<void> {
  const tail = Buffer.concat(content.memory);
  let position = 0;
  for (const piece of content.pieces) {
    const end = position + piece.length;
    while (position < end) {
      const size = Math.min(end - position, readSize);
      const chunk = readAt(content, tail, position, size);
      if (chunk.length === 0) return; // the temporary file was cut by somebody
      await take(piece.stream, chunk);
      position += chunk.length;
    }
  }
}

function readAt(content: Content, tail: Uint8Array, position: number, size: number): Uint8Array {
  const left = content.inFile - position;
  if (content.file === undefined || left <= 0) return tail.subarray(-left, -left + size);
  const bytes = new Uint8Array(Math.min(size, left));
  return bytes.subarray(0, readSync(content.file, bytes, 0, bytes.length, position));
}

/** The file loses its name at once, so nothing is left behind however we end. */
function openNameless(): number {
  const folder = mkdtempSync(join(tmpdir(), "cuenv-output-"));
  try {
    return openSync(join(folder, "output"), "wx+", 0o600);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
