import { Readable } from "node:stream";
import { crc32, createInflateRaw } from "node:zlib";
import { TarError } from "./tar-entries.ts";

const trailerBytes = 8;
/** Of the header with the names and comments that it may have. */
const maxHeaderBytes = 64 * 1024;

/**
 * Unpacks gzip of one member with nothing behind it. Nx' client stops at the end of the first, where programs usually go on: of an archive in two parts it
 * would not see what was checked.
 * @throws {TarError} and what zlib throws
 */
export async function* gunzipOnce(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const seen: Seen = { bytes: 0, trailer: undefined };
  const inflate = createInflateRaw();
  const source = Readable.from(deflated(chunks, seen));
  source.on("error", (error) => inflate.destroy(error));
  let sum = 0;
  let sizeBytes = 0;
  try {
    for await (const chunk of source.pipe(inflate) as AsyncIterable<Buffer>) {
      sum = crc32(chunk, sum);
      sizeBytes += chunk.length;
      yield chunk;
    }
    const { trailer } = seen;
    if (trailer === undefined || inflate.bytesWritten !== seen.bytes)
      throw new TarError("something is behind its end");
    if (trailer.readUInt32LE(0) !== sum || trailer.readUInt32LE(4) !== sizeBytes % 2 ** 32)
      throw new TarError("the sum of its compression is wrong");
  } finally {
    source.destroy();
    inflate.destroy();
  }
}

interface Seen {
  /** Between header and trailer. */
  bytes: number;
  /** Undefined until the end is reached. */
  trailer: Buffer | undefined;
}

async function* deflated(chunks: AsyncIterable<Uint8Array>, seen: Seen): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  let hasBegun = false;
  for await (const chunk of chunks) {
    held = Buffer.concat([held, chunk]);
    if (!hasBegun) {
      const header = headerBytes(held);
      if (header === undefined && held.length <= maxHeaderBytes) continue;
      if (header === undefined) throw new TarError("it is not gzip");
      hasBegun = true;
      held = held.subarray(header);
    }
    if (held.length <= trailerBytes) continue;
    const body = held.subarray(0, -trailerBytes);
    held = held.subarray(-trailerBytes);
    seen.bytes += body.length;
    yield body;
  }
  if (!hasBegun || held.length < trailerBytes) throw new TarError("it is not gzip, or cut");
  seen.trailer = held;
}

const flag = { headerSum: 2, extra: 4, name: 8, comment: 16 };

/** Undefined: it is not there whole (RFC 1952, 2.3). */
function headerBytes(bytes: Buffer): number | undefined {
  if (bytes.length < 10) return undefined;
  if (bytes.readUIntBE(0, 3) !== 0x1f_8b_08) throw new TarError("it is not gzip");
  const flags = bytes.readUInt8(3);
  let at = 10;
  if ((flags & flag.extra) !== 0) {
    if (bytes.length < at + 2) return undefined;
    at += 2 + bytes.readUInt16LE(at);
  }
  for (const text of [flag.name, flag.comment]) {
    if ((flags & text) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) return undefined;
    at = end + 1;
  }
  if ((flags & flag.headerSum) !== 0) at += 2;
  return at <= bytes.length ? at : undefined;
}
