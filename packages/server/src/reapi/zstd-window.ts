/*
 * How a frame of zstd begins (RFC 8878, 3.1.1.1): magic number, one byte of flags, then a byte for the window, unless the frame is a single segment; then
 * the dictionary's number (0, 1, 2 or 4 bytes) and, of a single segment, its size (1, 2, 4 or 8 bytes), which is its window.
 */
const magic = 0xfd_2f_b5_28;
export const frameHeadBytes = 18;
const singleSegment = 0x20;
const dictionaryBytes = [0, 1, 2, 4] as const;
const sizeBytes = [1, 2, 4, 8] as const;

/** The least and the most that a window can be here (log of bytes): zstd itself takes none that is larger unless it is told to. */
const leastLog = 10;
export const largestWindowLog = 27;

/** Log of the window that a frame needs to be decompressed: so much memory it takes. Of what cannot be told, the most. */
export function windowLogOf(head: Buffer): number {
  if (head.length < 6 || head.readUInt32LE(0) !== magic) return largestWindowLog;
  const flags = head.readUInt8(4);
  if ((flags & singleSegment) === 0) {
    const byte = head.readUInt8(5);
    return within(10 + (byte >> 3) + ((byte & 7) === 0 ? 0 : 1));
  }
  const at = 5 + (dictionaryBytes[flags & 3] ?? 0);
  const length = sizeBytes[flags >> 6] ?? 1;
  if (head.length < at + length) return largestWindowLog;
  if (length === 8) return within(Math.ceil(Math.log2(Number(head.readBigUInt64LE(at)))));
  const size = head.readUIntLE(at, length) + (length === 2 ? 256 : 0);
  return within(Math.ceil(Math.log2(Math.max(1, size))));
}

function within(log: number): number {
  return Math.min(largestWindowLog, Math.max(leastLog, log));
}
