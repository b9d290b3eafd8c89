import { describe, expect, it } from "vitest";
import { createReopening } from "./reopening.ts";

/** Numbers that are opened one after the other, and a clock. */
function numbers() {
  const state = { now: 0, opened: 0, closed: [] as number[] };
  const reopening = createReopening(
    () => {
      state.opened += 1;
      const number = state.opened;
      return { number, close: async () => void state.closed.push(number) };
    },
    () => state.now,
  );
  return { state, reopening, number: () => reopening.current().number };
}

describe("a remote cache behind a server", () => {
  it("is opened anew when it failed for a minute, and not before", () => {
    const { state, reopening, number } = numbers();
    for (const [now, expected] of [
      [0, 1],
      [59_999, 1],
      [60_000, 2],
      [120_000, 2],
    ] as const) {
      state.now = now;
      expect(number(), String(now)).toBe(expected);
      if (now < 60_000) reopening.failed("read");
    }
  });

  it("stays where it works in between, each use by itself", () => {
    const { state, reopening, number } = numbers();
    reopening.failed("read");
    reopening.worked("read");
    state.now = 60_000;
    expect(number()).toBe(1);
    reopening.failed("write");
    reopening.worked("read");
    state.now = 120_000;
    expect(number()).toBe(2);
  });

  it("is closed with the one that may still be in use, and those before them earlier", async () => {
    const { state, reopening, number } = numbers();
    for (const now of [60_000, 120_000]) {
      reopening.failed("read");
      state.now = now;
      number();
    }
    expect([number(), state.closed]).toEqual([3, [1]]);
    await reopening.close();
    expect(state.closed).toEqual([1, 2, 3]);
  });
});
