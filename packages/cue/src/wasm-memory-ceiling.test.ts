import { describe, expect, it } from "vitest";
import { webAssembly } from "./web-assembly.ts";
import { setMemoryCeiling, withRoomForCeiling } from "./wasm-memory-ceiling.ts";

// One exported memory of one page without a maximum, and an exported grow(n).
const module = new Uint8Array([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 8,
  1, 4, 0x67, 0x72, 0x6f, 0x77, 0, 0, 10, 8, 1, 6, 0, 0x20, 0, 0x40, 0, 0x0b,
]);

function grow(bytes: Uint8Array, pages: number): number {
  const instance = new webAssembly.Instance(new webAssembly.Module(bytes), {});
  return (instance.exports["grow"] as (pages: number) => number)(pages);
}

function limited(maximumBytes: number): Uint8Array {
  const roomy = withRoomForCeiling(module);
  setMemoryCeiling(roomy, maximumBytes);
  return roomy;
}

describe("setMemoryCeiling", () => {
  it("lets memory grow to the ceiling and not beyond", () => {
    expect(grow(module, 1000)).toBe(1);
    expect(grow(withRoomForCeiling(module), 1000)).toBe(1);
    expect(grow(limited(300 * 65_536), 299)).toBe(1);
    expect(grow(limited(300 * 65_536), 300)).toBe(-1);
  });

  it("does not go below what the module starts with, or above what there can be", () => {
    expect(grow(limited(0), 0)).toBe(1);
    expect(grow(limited(Number.NaN), 1)).toBe(-1);
    expect(grow(limited(Number.POSITIVE_INFINITY), 1)).toBe(1);
    expect(grow(limited(2 ** 40), 1)).toBe(1);
  });

  it("says what it is, in whole pages", () => {
    const roomy = withRoomForCeiling(module);
    expect(setMemoryCeiling(roomy, 3.9 * 65_536)).toBe(3 * 65_536);
    expect(setMemoryCeiling(roomy, 1)).toBe(65_536);
    expect(setMemoryCeiling(roomy, 2 ** 40)).toBe(2 ** 32);
  });

  it("can be told again", () => {
    const again = limited(0);
    setMemoryCeiling(again, 5 * 65_536);
    expect(grow(again, 4)).toBe(1);
    expect(grow(again, 5)).toBe(-1);
  });

  it("refuses a module without memory, and one without room", () => {
    expect(() => withRoomForCeiling(module.slice(0, 8))).toThrow("no memory section");
    expect(() => setMemoryCeiling(module.slice(), 1)).toThrow("no room for a ceiling");
  });
});
