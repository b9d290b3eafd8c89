import { createHash } from "node:crypto";

/*
 * FastCDC as the Remote Execution API names it, FAST_CDC_2020 (Xia et al., "The Design of Fast Content-Defined Chunking for Data Deduplication Based Storage
 * Systems", IEEE TPDS 2020; remote_execution.proto, ChunkingFunction): normalisation level 2, seed 0, minimum a quarter of the average and maximum four
 * times. Clients and servers only find each other's chunks when every cut is the same, so the constants and the order of the checks are the protocol.
 */

/** Masks by the binary logarithm of a size, 64 bits each: high and low half. */
const masks: Readonly<Record<number, readonly [high: number, low: number]>> = {
  12: [0x0000_d901, 0x0353_0000],
  14: [0x0000_d903, 0x1353_0000],
  16: [0x0000_d903, 0x0353_7000],
  17: [0x0000_d907, 0x0353_7000],
  19: [0x0000_d917, 0x0753_7000],
  21: [0x0000_d917, 0x6753_7000],
};

export interface FastCdcSizes {
  /** Bytes, a power of two for which there are masks: 16 KiB or 512 KiB. */
  readonly averageBytes: number;
  readonly minBytes: number;
  readonly maxBytes: number;
}

/** Cuts of 512 KiB on average: what Bazel's client makes, unless a server says otherwise. */
export const fastCdcSizes: FastCdcSizes = {
  averageBytes: 512 * 1024,
  minBytes: 128 * 1024,
  maxBytes: 2 * 1024 * 1024,
};

/** The Gear table: the first 64 bits of the MD5 of 64 equal bytes, in two halves. */
const gearHigh = new Int32Array(256);
const gearLow = new Uint32Array(256);
let isGearMade = false;

function makeGear(): void {
  if (isGearMade) return;
  for (let byte = 0; byte < 256; byte += 1) {
    const hash = createHash("md5").update(Buffer.alloc(64, byte)).digest();
    gearHigh[byte] = hash.readInt32BE(0);
    gearLow[byte] = hash.readUInt32BE(4);
  }
  isGearMade = true;
}

/**
 * The chunks of `bytes`, in order; each a buffer of its own. At most `maxBytes` and what came last are held.
 */
export async function* fastCdcChunks(
  bytes: AsyncIterable<Uint8Array>,
  sizes: FastCdcSizes = fastCdcSizes,
): AsyncGenerator<Buffer> {
  makeGear();
  let pieces: Uint8Array[] = [];
  let held = 0;
  const cutWhile = function* (atLeast: number): Generator<Buffer> {
    let rest = Buffer.concat(pieces);
    while (rest.length >= atLeast) {
      const length = cut(rest, sizes);
      yield Buffer.from(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    pieces = rest.length === 0 ? [] : [rest];
    held = rest.length;
  };
  for await (const piece of bytes) {
    pieces.push(piece);
    held += piece.length;
    if (held >= sizes.maxBytes) yield* cutWhile(sizes.maxBytes);
  }
  yield* cutWhile(1);
}

/** Where the first chunk of `source` ends, which has at least `maxBytes` unless it is the last. */
function cut(source: Buffer, { averageBytes, minBytes, maxBytes }: FastCdcSizes): number {
  if (source.length <= minBytes) return source.length;
  const bits = Math.log2(averageBytes);
  const small = masks[bits + 2];
  const large = masks[bits - 2];
  if (small === undefined || large === undefined)
    throw new RangeError(`no masks for chunks of ${averageBytes} bytes`);
  const end = Math.min(source.length, maxBytes);
  const center = Math.min(end, averageBytes);
  let high = 0;
  let low = 0;
  // The paper's rolling by two bytes looks at whole pairs only.
  const lastPair = (position: number): number => position - (position % 2);
  const stops = [
    { until: lastPair(center), mask: small },
    { until: lastPair(end), mask: large },
  ];
  let position = lastPair(minBytes);
  for (const { until, mask } of stops) {
    const [maskHigh, maskLow] = mask;
    for (; position < until; position += 1) {
      const byte = source[position] ?? 0;
      const sum = ((low << 1) >>> 0) + (gearLow[byte] ?? 0);
      high =
        (((high << 1) | (low >>> 31)) + (gearHigh[byte] ?? 0) + (sum > 0xffff_ffff ? 1 : 0)) | 0;
      low = sum >>> 0;
      if ((high & maskHigh) === 0 && (low & maskLow) === 0) return position;
    }
  }
  return end;
}
