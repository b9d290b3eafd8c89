import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteSizeHint, parseByteSize } from "./byte-size.ts";

describe("parseByteSize", () => {
  it.each([
    ["2MiB", 2_097_152],
    ["10GB", 10_000_000_000],
    ["1.5 GiB", 1_610_612_736],
    ["1tib", 1_099_511_627_776],
    ["123", 123],
    ["5B", 5],
    ["1kb", 1000],
  ])("reads %s", (text, expected) => {
    expect(parseByteSize(text)).toBe(expected);
  });

  it.each([
    "",
    "MiB",
    "-1MB",
    "1.5",
    "1.5B",
    "10 gigs",
    "2G",
    "1e9",
    "0x10",
    "9".repeat(20) + "TiB",
  ])("refuses %j", (text) => {
    expect(parseByteSize(text)).toBeUndefined();
  });

  it("multiplies by what the unit says, whatever its case", () => {
    const units = fc.constantFrom(
      ["kB", 1e3],
      ["MB", 1e6],
      ["KiB", 1024],
      ["MiB", 1024 ** 2],
      ["GiB", 1024 ** 3],
    );
    fc.assert(
      fc.property(fc.nat(100_000), units, fc.boolean(), (count, [unit, scale], upper) => {
        const text = `${count}${upper ? unit.toUpperCase() : unit}`;
        expect(parseByteSize(text)).toBe(count * scale);
      }),
    );
  });
});

describe("what is said of a text that is no size", () => {
  it.each([
    ["100G", "write 100GiB (powers of 1024), or 100GB (of 1000)"],
    [" 1.5 k", "write 1.5KiB (powers of 1024), or 1.5kB (of 1000)"],
    ["20gi", "write 20GiB (powers of 1024), or 20GB (of 1000)"],
    ["10%", "write a number with KiB, MiB, GiB or TiB"],
    ["10 gigs", "such as 50GiB"],
  ])("of %j: %s", (text, expected) => {
    expect(parseByteSize(text)).toBeUndefined();
    expect(byteSizeHint(text)).toContain(expected);
  });
});
