import { closeSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder } from "../test/workspace.ts";
import { createPendingWrites } from "./pending-writes.ts";

let base: string;
beforeEach(() => {
  base = makeFolder();
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const openFiles = (): number => readdirSync("/proc/self/fd").length;

describe("pending writes", () => {
  it("give every buffer back, and no more than four are out at once", async () => {
    const pending = createPendingWrites();
    const before = openFiles();
    let out = 0;
    let most = 0;
    for (let at = 0; at < 30; at += 1) {
      const add = pending.add(
        openSync(`${base}/${at}`, "wx"),
        Buffer.alloc(300_000, `${at}`),
        () => {
          out -= 1;
        },
      );
      out += 1;
      await add;
      most = Math.max(most, out);
    }
    await pending.settle();
    expect([out, most, openFiles()]).toEqual([0, 4, before]);
    for (let at = 0; at < 30; at += 1)
      expect(readFileSync(`${base}/${at}`).equals(Buffer.alloc(300_000, `${at}`))).toBe(true);
  });

  it("say what a write failed with, to who adds the next and to who waits, and close all files", async () => {
    const before = openFiles();
    const pending = createPendingWrites();
    let given = 0;
    const add = (path: string): Promise<void> =>
      pending.add(openSync(path, "w"), Buffer.alloc(100_000), () => void (given += 1));
    const addAll = async (): Promise<void> => {
      await add("/dev/full");
      for (let at = 0; at < 20; at += 1) await add(`${base}/${at}`);
    };
    await expect(addAll()).rejects.toMatchObject({ code: "ENOSPC" });
    await expect(pending.settle()).rejects.toMatchObject({ code: "ENOSPC" });
    expect(given).toBeGreaterThan(1);
    expect(openFiles()).toBe(before);
  });

  it("take a file that cannot be closed for one that failed, after the others have ended, and give its buffer back", async () => {
    const before = openFiles();
    const pending = createPendingWrites();
    let given = 0;
    const add = (file: number): Promise<void> =>
      pending.add(file, Buffer.alloc(3_000_000), () => void (given += 1));
    const closed = openSync(`${base}/closed`, "w");
    const others = [0, 1, 2].map((at) => openSync(`${base}/${at}`, "w"));
    closeSync(closed);
    await add(closed);
    for (const other of others) await add(other);
    // Nobody waits for them meanwhile: a rejection would end the process.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(add(openSync(`${base}/last`, "w"))).rejects.toMatchObject({ code: "EBADF" });
    await expect(pending.settle()).rejects.toMatchObject({ code: "EBADF" });
    expect([given, openFiles()]).toEqual([5, before]);
  });
});
