import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { busyTimeout } from "./busy-timeout.ts";

/** How often it is looked at until the end, of a process that gets this share of the limit between two looks. */
async function roundsAt(share: number): Promise<number> {
  const asked: number[] = [];
  await new Promise<void>((resolve) => {
    const workedMs = (): number => (asked.push(0) - 1) * 20 * share;
    busyTimeout(20, resolve, workedMs);
  });
  return asked.length - 1;
}

describe("busyTimeout", () => {
  it("ends a process that works after the limit, and gives one that is held up more time within a bound", async () => {
    expect(await roundsAt(1)).toBe(1);
    expect(await roundsAt(0.6)).toBe(2);
    expect(await roundsAt(0.25)).toBe(4);
    expect(await roundsAt(0)).toBeLessThanOrEqual(6);
    expect(await roundsAt(0)).toBeGreaterThan(1);
  });

  it("counts what this process worked", async () => {
    const before = process.cpuUsage();
    const isOver = new Promise<void>((resolve) => busyTimeout(50, resolve));
    for (let worked = 0; worked < 50_000;) {
      const { user, system } = process.cpuUsage(before);
      worked = user + system;
    }
    await isOver;
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeGreaterThanOrEqual(45_000);
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
