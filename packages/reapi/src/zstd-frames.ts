import { maxFrameHeaderBytes, zstdFrameHeader } from "./zstd-frame-header.ts";

/*
 * Behind the header of a frame come its blocks (RFC 8878, 3.1.1.2): three bytes, of which one bit says that it is the last, two what it is, and the rest its
 * size; then, where the header says so, a checksum of four bytes. A frame to skip (3.1.2) is a magic number, four bytes of size, and so many bytes.
 */
const blockHeaderBytes = 3;
const checksumBytes = 4;
const skippableMagic = 0x18_4d_2a_50;
const skippableHeaderBytes = 8;
const runOfOneByte = 1;

/** What comes next in a text of frames. */
type Expected = "frame" | "block" | "checksum" | "end";

interface Reader {
  expected: Expected;
  hasChecksum: boolean;
  /** Bytes of what was begun that are still to come. */
  toPass: number;
  /** A header of which a part came. */
  held: Buffer;
}

/**
 * The same bytes, cut where frames end. Node before 26 drops what follows the end of a frame in the same piece, and servers send blobs of many frames
 * (bazel-remote: one for each MiB). What is no zstd is given on as it is, for who decompresses it to complain.
 */
export async function* zstdFrames(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = startReader();
  for await (const chunk of chunks) yield* piecesOf(reader, chunk);
  if (reader.held.length > 0) yield reader.held;
}

/** As {@link zstdFrames}, of what is there as a whole: the frames. */
export function splitZstdFrames(bytes: Uint8Array): readonly Uint8Array[] {
  const reader = startReader();
  const frames: Uint8Array[] = [];
  let start = 0;
  let end = 0;
  for (const piece of piecesOf(reader, bytes)) {
    end += piece.length;
    if (reader.expected !== "frame" || reader.toPass > 0) continue;
    frames.push(bytes.subarray(start, end));
    start = end;
  }
  if (start < bytes.length) frames.push(bytes.subarray(start));
  return frames;
}

/** Holds something for somebody else. */
export function isSkippable(frame: Uint8Array): boolean {
  return frame.length >= 4 && (asBuffer(frame).readUInt32LE(0) & ~0xf) >>> 0 === skippableMagic;
}

function startReader(): Reader {
  return { expected: "frame", hasChecksum: false, toPass: 0, held: Buffer.alloc(0) };
}

/** Up to the end of a frame in the chunk, and so on; the start of a header of which more is to come is held back. */
function* piecesOf(reader: Reader, chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
  const bytes = reader.held.length === 0 ? asBuffer(chunk) : Buffer.concat([reader.held, chunk]);
  let start = 0;
  let at = 0;
  while (at < bytes.length) {
    const passed = Math.min(reader.toPass, bytes.length - at);
    reader.toPass -= passed;
    at += passed;
    if (reader.toPass > 0) break;
    if (reader.expected === "frame" && at > start) {
      yield bytes.subarray(start, at);
      start = at;
    }
    if (at < bytes.length && !readNext(reader, bytes.subarray(at))) break;
  }
  const isHeader = reader.toPass === 0 && reader.expected !== "end" && at < bytes.length;
  const end = isHeader ? at : bytes.length;
  if (end > start) yield bytes.subarray(start, end);
  reader.held = bytes.subarray(end);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Reads a header. False: it has not come as a whole. */
function readNext(reader: Reader, bytes: Buffer): boolean {
  if (reader.expected === "checksum") return pass(reader, checksumBytes, "frame");
  if (reader.expected === "block") return readBlock(reader, bytes);
  if (reader.expected === "frame") return readFrame(reader, bytes);
  return pass(reader, bytes.length, "end");
}

function readFrame(reader: Reader, bytes: Buffer): boolean {
  if (isSkippable(bytes)) {
    if (bytes.length < skippableHeaderBytes) return false;
    return pass(reader, skippableHeaderBytes + bytes.readUInt32LE(4), "frame");
  }
  const header = zstdFrameHeader(bytes);
  if (header !== undefined) {
    reader.hasChecksum = header.hasChecksum;
    return pass(reader, header.bytes, "block");
  }
  return bytes.length >= maxFrameHeaderBytes && pass(reader, bytes.length, "end");
}

function readBlock(reader: Reader, bytes: Buffer): boolean {
  if (bytes.length < blockHeaderBytes) return false;
  const header = bytes.readUIntLE(0, blockHeaderBytes);
  const isLast = (header & 1) === 1;
  const size = ((header >> 1) & 3) === runOfOneByte ? 1 : header >>> 3;
  const after = reader.hasChecksum ? "checksum" : "frame";
  return pass(reader, blockHeaderBytes + size, isLast ? after : "block");
}

function pass(reader: Reader, bytes: number, expected: Expected): true {
  reader.toPass = bytes;
  reader.expected = expected;
  return true;
}
