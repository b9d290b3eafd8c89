import { readNumber, sectionIds, sectionsOf } from "./wasm-binary.ts";

/**
 * Node cannot limit a module's own memory, so its memory section says the most: id 5, size, count 1, flags (bit 0: has a maximum), minimum
 * pages, [maximum pages]; numbers are LEB128. The artifact's has a maximum of five bytes, so that a ceiling can be written into it: moving 39 MB to
 * make room takes 20 ms.
 */
const pageBytes = 65_536;
const paddedBytes = 5;
/** What 32-bit addresses reach: 4 GiB. */
const mostPages = 65_536;

/** The module with room for a ceiling; for the build. Its memory may be as large as before. */
export function withRoomForCeiling(module: Uint8Array): Uint8Array {
  const memory = findMemory(module);
  const minimum = module.subarray(memory.minimumAt, memory.minimumEnd);
  const body = [1, 1, ...minimum, ...paddedNumber(mostPages)];
  return Buffer.concat([
    module.subarray(0, memory.start),
    Uint8Array.from([sectionIds.memory, body.length, ...body]),
    module.subarray(memory.end),
  ]);
}

/**
 * Limits the memory of a module in place; never below what it starts with, or above 4 GiB. Gives what it is limited to, in bytes.
 * @throws {Error} when the module has no room for it
 */
export function setMemoryCeiling(module: Uint8Array, maximumBytes: number): number {
  const { minimumPages, minimumEnd, end } = findMemory(module);
  if (end - minimumEnd !== paddedBytes) throw new Error("the module has no room for a ceiling");
  const wanted = Math.min(Math.floor(maximumBytes / pageBytes), mostPages);
  const pages = wanted > minimumPages ? wanted : minimumPages;
  module.set(paddedNumber(pages), minimumEnd);
  return pages * pageBytes;
}

interface MemorySection {
  readonly start: number;
  readonly end: number;
  readonly minimumAt: number;
  readonly minimumEnd: number;
  readonly minimumPages: number;
}

function findMemory(module: Uint8Array): MemorySection {
  const section = sectionsOf(module).find(({ id }) => id === sectionIds.memory);
  if (section === undefined) throw new Error("the module has no memory section");
  const count = readNumber(module, section.bodyStart);
  if (count.value !== 1) throw new Error("the module does not have exactly one memory");
  const minimumAt = count.next + 1;
  const minimum = readNumber(module, minimumAt);
  return {
    start: section.start,
    end: section.end,
    minimumAt,
    minimumEnd: minimum.next,
    minimumPages: minimum.value,
  };
}

/** LEB128 may have more digits than it needs: 32 bits have five at most. */
function paddedNumber(value: number): number[] {
  return Array.from({ length: paddedBytes }, (_, digit) => {
    const bits = Math.floor(value / 2 ** (7 * digit)) % 128;
    return digit < paddedBytes - 1 ? bits | 0x80 : bits;
  });
}
