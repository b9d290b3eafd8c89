import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type EntryStore, openEntryStore, references } from "../test/entries.ts";
import { makeFolder } from "../test/workspace.ts";
import { evictWhenNeeded } from "./evict-when-needed.ts";

let base: string;
let root: string;
let cache: EntryStore;
beforeEach(async () => {
  base = makeFolder();
  root = `${base}/cache`;
  cache = openEntryStore(root);
  await cache.put("a", ["content of a"]);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const occupations: readonly (readonly [string, (lock: string) => unknown])[] = [
  ["a folder", (lock) => mkdirSync(lock)],
  ["a folder with something in it", (lock) => (mkdirSync(lock), writeFileSync(`${lock}/x`, ""))],
  ["a FIFO", (lock) => spawnSync("mkfifo", [lock])],
];

it.each(occupations)(
  "is not kept from evicting for ever by %s in the place of its lock",
  async (_, make) => {
    const lock = `${root}/v1/sweep.lock`;
    make(lock);
    const longAgo = cache.folder.now() / 1000 - 3600;
    utimesSync(lock, longAgo, longAgo);
    const evicted = await evictWhenNeeded({
      folder: cache.folder,
      references,
      policy: "LRU",
      limits: { maxBytes: 0, maxAgeMs: undefined },
    });
    expect(evicted).toMatchObject({ removedEntries: 1 });
    expect(existsSync(lock)).toBe(false);
  },
);
