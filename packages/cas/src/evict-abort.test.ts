import { existsSync, rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EntryStore, openEntryStore, references } from "../test/entries.ts";
import { makeFolder } from "../test/workspace.ts";
import { evict } from "./evict.ts";
import { evictWhenNeeded } from "./evict-when-needed.ts";

let base: string;
let root: string;
let cache: EntryStore;
beforeEach(() => {
  base = makeFolder();
  root = `${base}/cache`;
  cache = openEntryStore(root);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe("an eviction that is aborted", () => {
  it("row 31: ends between two blobs, leaves no entry without its blobs, and the next one does the rest", async () => {
    const many = (name: string): string[] => Array.from({ length: 200 }, (_, i) => `${name} ${i}`);
    for (const name of ["a", "b", "c"]) {
      cache.clock.now += 1000;
      await cache.put(name, many(name));
    }
    const controller = new AbortController();
    const reason = new Error("Ctrl-C");
    const limits = { maxBytes: 0, maxAgeMs: undefined };
    const options = { folder: cache.folder, references, policy: "LRU", limits } as const;
    const sweeping = evictWhenNeeded({ ...options, signal: controller.signal });
    // As a signal's handler: in a turn of its own, once the first blob is gone.
    const watch = setInterval(() => {
      if (!existsSync(cache.blobPath("a 0"))) controller.abort(reason);
    });
    await expect(sweeping).rejects.toBe(reason);
    clearInterval(watch);
    const blobsOf = (name: string): number =>
      many(name).filter((each) => existsSync(cache.blobPath(each))).length;
    expect(existsSync(cache.entryPath("a"))).toBe(false);
    expect(blobsOf("a")).toBeGreaterThan(0);
    expect([existsSync(cache.entryPath("b")), blobsOf("b"), blobsOf("c")]).toEqual([
      true,
      200,
      200,
    ]);
    expect(existsSync(`${root}/v1/sweep.lock`)).toBe(false);
    expect(await evict(options)).toMatchObject({ removedEntries: 2, entries: 0, blobs: 0 });
  });

  it("row 31: does not begin when the run was interrupted before", async () => {
    await cache.put("a", ["a"]);
    const limits = { maxBytes: 0, maxAgeMs: undefined };
    const options = { folder: cache.folder, references, policy: "LRU", limits } as const;
    await expect(
      evictWhenNeeded({ ...options, signal: AbortSignal.abort(new Error("x")) }),
    ).rejects.toThrow("x");
    expect(existsSync(cache.entryPath("a"))).toBe(true);
  });
});
