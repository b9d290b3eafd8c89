/*
 * How a frame of zstd begins (RFC 8878, 3.1.1.1): magic number, one byte of flags, then a byte for the window, unless the frame is a single segment; then
 * the dictionary's number (0, 1, 2 or 4 bytes) and the size of what it holds (1, 2, 4 or 8 bytes, where it says it), which is the window of a single segment.
 */
const magic = 0xfd_2f_b5_28;
const singleSegment = 0x20;
const withChecksum = 0x04;
const dictionaryBytes = [0, 1, 2, 4] as const;
const sizeBytes = [0, 2, 4, 8] as const;

/** No header of a frame is longer. */
export const maxFrameHeaderBytes = 18;

export interface ZstdFrameHeader {
  readonly bytes: number;
  /** Four bytes after the last block. */
  readonly hasChecksum: boolean;
  /** Log of the bytes of memory that it takes to decompress the frame. */
  readonly windowLog: number;
}

/** Undefined: it is none, or there is more of it. */
export function zstdFrameHeader(head: Uint8Array): ZstdFrameHeader | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.length);
  if (bytes.length < 5 || bytes.readUInt32LE(0) !== magic) return undefined;
  const flags = bytes.readUInt8(4);
  const isSingle = (flags & singleSegment) !== 0;
  const length = (flags >> 6 === 0 && isSingle ? 1 : sizeBytes[flags >> 6]) ?? 0;
  const at = 5 + (isSingle ? 0 : 1) + (dictionaryBytes[flags & 3] ?? 0);
  if (bytes.length < at + length) return undefined;
  return {
    bytes: at + length,
    hasChecksum: (flags & withChecksum) !== 0,
    windowLog: isSingle ? logOfSize(bytes, at, length) : logOfWindow(bytes.readUInt8(5)),
  };
}

function logOfWindow(byte: number): number {
  return 10 + (byte >> 3) + ((byte & 7) === 0 ? 0 : 1);
}

function logOfSize(bytes: Buffer, at: number, length: number): number {
  const size =
    length === 8
      ? Number(bytes.readBigUInt64LE(at))
      : bytes.readUIntLE(at, length) + (length === 2 ? 256 : 0);
  return Math.ceil(Math.log2(Math.max(1, size)));
}
