import { describe, expect, it } from "vitest";
import { sinceTime } from "./since.ts";

const now = Date.parse("2026-11-22T12:00:00Z");

describe("--since", () => {
  it("takes an age, and a date with or without a time", () => {
    expect(sinceTime("2h", now)).toBe(now - 2 * 60 * 60 * 1000);
    expect(sinceTime("1d12h", now)).toBe(now - 36 * 60 * 60 * 1000);
    expect(sinceTime("2026-11-20", now)).toBe(new Date(2026, 10, 20).getTime());
    expect(sinceTime("2026-11-20T08:30", now)).toBe(new Date(2026, 10, 20, 8, 30).getTime());
    expect(sinceTime("2026-11-20T08:30:00Z", now)).toBe(Date.parse("2026-11-20T08:30:00Z"));
  });

  it("refuses what is neither, and the future", () => {
    for (const text of ["", "yesterday", "7", "-1h", "2026-13-01", "11/20/2026", "2026"])
      expect(() => sinceTime(text, now), text).toThrow(/neither an age nor a date/);
    expect(() => sinceTime("2026-11-23", now)).toThrow(/in the future/);
  });
});
