import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDuration } from "./duration.ts";

describe("parseDuration", () => {
  it.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["30m", 1_800_000],
    ["1h30m", 5_400_000],
    ["1h 30m", 5_400_000],
    ["7d", 604_800_000],
    ["2w", 1_209_600_000],
    ["1.5s", 1500],
    ["0s", 0],
  ])("reads %s", (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each([
    "",
    "30",
    "m",
    "30 minutes",
    "-5s",
    "1m1h",
    "5s5s",
    "1e3s",
    "5S",
    "1h30",
    "9".repeat(40) + "d",
  ])("refuses %j", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it("adds parts from the largest unit to the smallest", () => {
    const part = fc.nat(999);
    fc.assert(
      fc.property(part, part, part, part, (days, hours, minutes, seconds) => {
        const text = `${days}d${hours}h${minutes}m${seconds}s`;
        expect(parseDuration(text)).toBe(
          (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000,
        );
      }),
    );
  });

  it("gives a whole safe number or nothing for any text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."0123456789.msdhw -e".split("")) }),
        (text) => {
          const value = parseDuration(text);
          expect(value === undefined || (Number.isSafeInteger(value) && value >= 0)).toBe(true);
        },
      ),
    );
  });
});
