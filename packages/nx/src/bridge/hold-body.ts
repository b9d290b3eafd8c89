import { createReadStream, createWriteStream, mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** A body that was received to its end. */
export interface HeldBody {
  read(): Readable;
  /** Lets go of what holds it. Never throws. */
  release(): void;
}

export interface HoldOptions {
  readonly lengthBytes: number;
  /** What is longer is held in a temporary file. */
  readonly maxMemoryBytes: number;
}

/** Receives a whole body, so that nothing can cut it any more while it is passed on. Undefined: it was cut, or there is no room for it. */
export async function holdBody(
  incoming: IncomingMessage,
  { lengthBytes, maxMemoryBytes }: HoldOptions,
): Promise<HeldBody | undefined> {
  try {
    return lengthBytes > maxMemoryBytes
      ? await inFile(incoming, lengthBytes)
      : await inMemory(incoming, lengthBytes);
  } catch {
    incoming.destroy();
    return undefined;
  }
}

async function inMemory(incoming: IncomingMessage, lengthBytes: number): Promise<HeldBody> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  if (bytes.length !== lengthBytes) throw new Error("cut");
  return { read: () => Readable.from([bytes], { objectMode: false }), release: () => undefined };
}

async function inFile(incoming: IncomingMessage, lengthBytes: number): Promise<HeldBody> {
  const folder = mkdtempSync(join(tmpdir(), "cuenv-nx-archive-"));
  const release = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const file = join(folder, "archive");
    const out = createWriteStream(file, { flags: "wx", mode: 0o600 });
    await pipeline(incoming, out);
    if (out.bytesWritten !== lengthBytes) throw new Error("cut");
    return { read: () => createReadStream(file, { highWaterMark: 1024 * 1024 }), release };
  } catch (error) {
    release();
    throw error;
  }
}
