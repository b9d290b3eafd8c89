import { describe, expect, it } from "vitest";
import { formatBytes, formatDuration } from "./format-duration.ts";

describe("formatting", () => {
  it("writes durations as people read them", () => {
    expect([0.4, 999.4, 1000, 59_940, 60_000, 125_400].map(formatDuration)).toEqual([
      "0 ms",
      "999 ms",
      "1.0 s",
      "59.9 s",
      "1 min 0 s",
      "2 min 5 s",
    ]);
  });

  it("writes sizes in powers of 1024", () => {
    expect([0, 1023, 1024, 1_500_000, 5 * 2 ** 30, 2 ** 52].map(formatBytes)).toEqual([
      "0 B",
      "1023 B",
      "1.0 KiB",
      "1.4 MiB",
      "5.0 GiB",
      "4096.0 TiB",
    ]);
  });
});
