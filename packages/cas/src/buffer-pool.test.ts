import { describe, expect, it } from "vitest";
import { createBufferPool } from "./buffer-pool.ts";

describe("a pool of buffers", () => {
  it("gives a buffer again that was given back, also as a view of it, and never to two at once", () => {
    const pool = createBufferPool({ bufferBytes: 100, maxBuffers: 2 });
    const [one, two] = [pool.take(50), pool.take(100)];
    expect([one.length, two.length, one.buffer === two.buffer]).toEqual([100, 100, false]);
    pool.give(one.subarray(10, 20));
    pool.give(one);
    expect(pool.take(1).buffer).toBe(one.buffer);
    expect(pool.take(1).buffer).not.toBe(one.buffer);
  });

  it("keeps no more than it may, nothing that is not its own, and nothing larger", () => {
    const pool = createBufferPool({ bufferBytes: 100, maxBuffers: 1 });
    const [one, two] = [pool.take(1), pool.take(1)];
    const foreign = Buffer.alloc(100);
    const large = pool.take(101);
    for (const buffer of [foreign, large, one, two]) pool.give(buffer);
    const taken = [pool.take(1), pool.take(1)].map(({ buffer }) => buffer);
    expect(taken[0]).toBe(one.buffer);
    for (const { buffer } of [foreign, large, two]) expect(taken).not.toContain(buffer);
  });
});
