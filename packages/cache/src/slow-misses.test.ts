import { describe, expect, it } from "vitest";
import { createSlowMisses } from "./slow-misses.ts";

describe("createSlowMisses", () => {
  it("lets quick misses be, however many, and says when slow ones took the budget", () => {
    const misses = createSlowMisses(30_000);
    for (let at = 0; at < 1000; at += 1)
      expect(misses.missed(at * 900, at * 900 + 899)).toBe(false);
    const slow = Array.from({ length: 14 }, (_, at) =>
      misses.missed(1e6 + at * 5000, 1e6 + (at + 1) * 5000),
    );
    expect(slow.map(Number).join("")).toBe("00000100000100");
  });

  it("counts what is side by side once", () => {
    const misses = createSlowMisses(30_000);
    for (let round = 0; round < 5; round += 1)
      for (let job = 0; job < 10; job += 1)
        expect(misses.missed(round * 5000 + job, round * 5000 + 5000 + job)).toBe(false);
    expect(misses.missed(25_000, 31_000)).toBe(true);
  });

  it("begins anew with each hit", () => {
    const misses = createSlowMisses(10_000);
    for (let at = 0; at < 20; at += 1) {
      expect(misses.missed(at * 9000, at * 9000 + 9000)).toBe(false);
      misses.hit();
    }
  });
});
