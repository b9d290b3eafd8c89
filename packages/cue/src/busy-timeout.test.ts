import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { busyTimeout } from "./busy-timeout.ts";

/** How often the limit passed until the end, of a process that gets this share of the processor. */
async function roundsAt(share: number): Promise<number> {
  const asked: number[] = [];
  await new Promise<void>((resolve) => {
    const workedMs = (): number => asked.push(0) * 20 * share;
    busyTimeout(20, resolve, workedMs);
  });
  return asked.length - 1;
}

describe("busyTimeout", () => {
  it("ends a process that works after the limit, and gives one that is held up more time within a bound", async () => {
    expect(await roundsAt(1)).toBe(1);
    expect(await roundsAt(0.25)).toBe(2);
    expect(await roundsAt(0)).toBeLessThanOrEqual(6);
    expect(await roundsAt(0)).toBeGreaterThan(1);
  });

  it("counts what this process worked", async () => {
    let isOver = false;
    busyTimeout(50, () => (isOver = true));
    const until = performance.now() + 200;
    while (performance.now() < until);
    await sleep(100);
    expect(isOver).toBe(true);
  });

  it("can be called off, in its first round and in a later one", async () => {
    let calls = 0;
    const first = busyTimeout(10, () => (calls += 1));
    first();
    const later = busyTimeout(
      20,
      () => (calls += 1),
      () => 0,
    );
    await sleep(50);
    later();
    await sleep(150);
    expect(calls).toBe(0);
  });
});
