import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as fc from "fast-check";
import { type EntryStore, openEntryStore, references } from "../test/entries.ts";
import { canBeNobody, runModule, sourceUrl } from "../test/other-process.ts";
import { listTree } from "../test/tree.ts";
import { makeFolder } from "../test/workspace.ts";
import { evict, type Eviction, unreferencedGraceMs } from "./evict.ts";
import { evictWhenNeeded } from "./evict-when-needed.ts";
import { sweepIntervalMs } from "./eviction-need.ts";
import { evictionOrder, type EvictionPolicy, inEvictionOrder } from "./eviction-order.ts";
import { measureStore } from "./measure-store.ts";
import { maxJournalBytes, readTotals, readUsage } from "./usage-journal.ts";

let base: string;
let root: string;
let cache: EntryStore;
beforeEach(() => {
  base = makeFolder();
  root = `${base}/cache`;
  cache = openEntryStore(root);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Content of about `size` bytes that no other name has. */
const content = (name: string, size = 1000): string =>
  `${name} `.repeat(Math.ceil(size / (name.length + 1)));

function sweep(
  policy: EvictionPolicy,
  limits: { maxBytes?: number; maxAgeMs?: number },
  graceMs = 0,
): Promise<Eviction> {
  const { maxBytes, maxAgeMs } = limits;
  return evict({
    folder: cache.folder,
    references,
    policy,
    limits: { maxBytes, maxAgeMs },
    graceMs,
  });
}

/** Names of the entries in the order in which they go when everything must. */
async function victims(policy: EvictionPolicy, names: readonly string[]): Promise<string[]> {
  const { victims: gone } = await sweep(policy, { maxBytes: 0 });
  const byId = new Map(names.map((name) => [cache.id(name), name]));
  return gone.map((id) => byId.get(id) ?? id);
}

/**
 * The trace of row 16: sizes 3000, 1000, 5000, 2000; a is stored first and used last; b is used often and early; c once; d never.
 */
async function trace(): Promise<void> {
  for (const [name, size] of [
    ["a", 3000],
    ["b", 1000],
    ["c", 5000],
    ["d", 2000],
  ] as const) {
    cache.clock.now += 1000;
    await cache.put(name, [content(name, size)]);
  }
  for (const name of ["b", "b", "b", "c", "a", "a"]) {
    cache.clock.now += 1000;
    cache.use(name);
  }
}

describe("row 16: the order of victims after a scripted trace", () => {
  const names = ["a", "b", "c", "d"];
  it.each<[EvictionPolicy, string[]]>([
    ["LRU", ["d", "b", "c", "a"]],
    ["LFU", ["d", "c", "a", "b"]],
    ["FIFO", ["a", "b", "c", "d"]],
    ["SizeBased", ["c", "a", "d", "b"]],
  ])("row 16: %s is exactly %j", async (policy, order) => {
    await trace();
    expect(await victims(policy, names)).toEqual(order);
  });

  it.each<[EvictionPolicy, string[]]>([
    ["LRU", ["d", "b", "c", "a"]],
    ["LFU", ["d", "c", "a", "b"]],
  ])(
    "row 16: %s is the same when the trace is spread over processes and a fold of the journal",
    async (policy, order) => {
      const clock = { now: 1_700_000_000_000 };
      const inProcess = async (steps: string): Promise<void> => {
        const program = `
        import { openEntryStore } from "${sourceUrl.replace("/src", "/test/entries.ts")}";
        const cache = openEntryStore(${JSON.stringify(root)}, { now: ${clock.now} });
        const content = (name, size) => (name + " ").repeat(size / 2);
        ${steps}
      `;
        const { code, stderr } = await runModule(program);
        expect([code, stderr]).toEqual([0, ""]);
        clock.now += 1000;
      };
      await inProcess(
        `await cache.put("a", [content("a", 3000)]); cache.clock.now += 1; await cache.put("b", [content("b", 1000)]);`,
      );
      await inProcess(
        `await cache.put("c", [content("c", 5000)]); cache.clock.now += 1; await cache.put("d", [content("d", 2000)]);`,
      );
      await inProcess(`for (const name of ["b", "b", "b"]) cache.use(name);`);
      cache = openEntryStore(root, clock);
      await sweep("LRU", {});
      expect(readdirSync(`${root}/v1`).filter((name) => name.startsWith("journal"))).toEqual([]);
      await inProcess(`cache.use("c"); cache.clock.now += 1; cache.use("a"); cache.use("a");`);
      expect(await victims(policy, names)).toEqual(order);
    },
  );

  it("row 16: any units are in one order, whatever order they come in", () => {
    const unit = fc.record({
      name: fc.string({ minLength: 1, maxLength: 4 }),
      storedMs: fc.nat(3),
      lastUsedMs: fc.nat(3),
      useCount: fc.nat(3),
      sizeBytes: fc.nat(3),
    });
    const units = fc.uniqueArray(unit, { selector: ({ name }) => name, maxLength: 12 });
    const policy = fc.constantFrom<EvictionPolicy>("LRU", "LFU", "FIFO", "SizeBased");
    fc.assert(
      fc.property(units, policy, fc.infiniteStream(fc.nat()), (list, by, random) => {
        const shuffled = list
          .map((each) => [random.next().value, each] as const)
          .toSorted(([left], [right]) => Number(left) - Number(right));
        expect(
          evictionOrder(
            by,
            shuffled.map(([, each]) => each),
          ),
        ).toEqual(evictionOrder(by, list));
      }),
    );
  });
});

describe("row 16: the order of more units than are sorted at once", () => {
  it("is that of all of them, in any number", async () => {
    for (const count of [0, 1, 8192, 8193, 40_000]) {
      const units = Array.from({ length: count }, (_, index) => ({
        name: `${index}`,
        storedMs: (index * 7919) % 1000,
        lastUsedMs: (index * 104_729) % 997,
        useCount: index % 3,
        sizeBytes: (index * 31) % 100,
      }));
      for (const policy of ["LRU", "LFU", "FIFO", "SizeBased"] as const) {
        const found: string[] = [];
        for await (const { name } of inEvictionOrder(policy, units)) found.push(name);
        expect(found).toEqual(evictionOrder(policy, units).map(({ name }) => name));
      }
    }
  });
});

describe("row 16: what goes with an entry", () => {
  it("are the blobs that only it names; shared ones stay until the last one goes", async () => {
    await cache.put("old", ["shared", content("old")]);
    cache.clock.now += 1000;
    await cache.put("new", ["shared", content("new")]);
    const { bytes } = await sweep("LRU", {});
    const first = await sweep("LRU", { maxBytes: bytes - 1 });
    expect(first).toMatchObject({
      removedEntries: 1,
      removedBlobs: 1,
      victims: [cache.id("old")],
      entries: 1,
      blobs: 2,
    });
    expect(existsSync(cache.blobPath("shared"))).toBe(true);
    expect(existsSync(cache.blobPath(content("old")))).toBe(false);
    const second = await sweep("LRU", { maxBytes: 0 });
    expect(second).toMatchObject({
      removedEntries: 1,
      removedBlobs: 2,
      entries: 0,
      blobs: 0,
      bytes: 0,
    });
  });

  it("row 35: frees what it says, to the byte", async () => {
    await trace();
    await cache.ingest("named by nobody");
    const before = await measureStore(cache.folder);
    const swept = await sweep("LRU", { maxBytes: 7000 });
    const after = await measureStore(cache.folder);
    const total = (use: typeof before): number => use.entryBytes + use.blobBytes;
    expect(total(before) - total(after)).toBe(swept.removedBytes);
    expect(total(after)).toBe(swept.bytes);
    expect(swept.bytes).toBeLessThanOrEqual(7000);
    expect([after.entries, after.blobs]).toEqual([swept.entries, swept.blobs]);
    expect(before.entries - after.entries).toBe(swept.removedEntries);
  });

  it.runIf(canBeNobody)(
    "are kept when the entry cannot be removed, so that it stays whole",
    async () => {
      const program = `
      import { openEntryStore, references } from "${sourceUrl.replace("/src", "/test/entries.ts")}";
      import { makeFolder } from "${sourceUrl.replace("/src", "/test/workspace.ts")}";
      import { evict } from "${sourceUrl}/evict.ts";
      import { chmodSync, existsSync, rmSync } from "node:fs";
      import { dirname } from "node:path";
      const base = makeFolder();
      const cache = openEntryStore(base + "/cache");
      await cache.put("a", ["kept"]);
      chmodSync(dirname(cache.entryPath("a")), 0o555);
      const swept = await evict({ folder: cache.folder, references, policy: "LRU", limits: { maxBytes: 0 } });
      console.log(swept.removedEntries, swept.removedBlobs, existsSync(cache.blobPath("kept")));
      chmodSync(dirname(cache.entryPath("a")), 0o755);
      rmSync(base, { recursive: true });
    `;
      const ended = await runModule(program, { asNobody: true });
      expect([ended.stdout, ended.stderr]).toEqual(["0 0 true\n", ""]);
    },
  );

  it("row 9: obeys a limit that young entries exceed, when nobody asked, too", async () => {
    await trace();
    const limits = { maxBytes: 6000, maxAgeMs: undefined };
    const swept = await evictWhenNeeded({
      folder: cache.folder,
      references,
      policy: "LRU",
      limits,
    });
    expect(swept?.bytes).toBeLessThanOrEqual(6000);
    expect(swept?.victims).toEqual([cache.id("d"), cache.id("b"), cache.id("c")]);
  });
});

describe("eviction by age", () => {
  it("row 35: takes what was not used for so long, in the order of the policy, and nothing younger", async () => {
    await trace();
    const swept = await sweep("SizeBased", { maxAgeMs: 2900 });
    expect(swept.victims).toEqual([cache.id("d"), cache.id("b")]);
    expect(await sweep("LRU", { maxAgeMs: 2900 })).toMatchObject({
      removedEntries: 0,
      removedBytes: 0,
    });
  });

  it("counts a use as youth, however old the entry is", async () => {
    await cache.put("old", [content("old")]);
    cache.clock.now += 10_000_000;
    cache.use("old");
    expect(await sweep("LRU", { maxAgeMs: 1000 })).toMatchObject({ removedEntries: 0 });
    cache.clock.now += 1001;
    expect(await sweep("LRU", { maxAgeMs: 1000 })).toMatchObject({
      removedEntries: 1,
      removedBlobs: 1,
    });
  });
});

describe("blobs that no entry names", () => {
  it("are left to a task that runs, unless somebody asked", async () => {
    await cache.ingest(content("running"));
    const old = content("abandoned");
    await cache.ingest(old);
    const time = (Date.now() - unreferencedGraceMs - 60_000) / 1000;
    utimesSync(cache.blobPath(old), time, time);
    await sweep("LRU", { maxBytes: 0 }, unreferencedGraceMs);
    expect(existsSync(cache.blobPath(content("running")))).toBe(true);
    expect(existsSync(cache.blobPath(old))).toBe(false);
    await sweep("LRU", { maxBytes: 0 });
    expect(existsSync(cache.blobPath(content("running")))).toBe(false);
  });
});

describe("an eviction that nobody asked for", () => {
  const needed = (maxBytes: number) =>
    evictWhenNeeded({
      folder: cache.folder,
      references,
      policy: "LRU",
      limits: { maxBytes, maxAgeMs: undefined },
    });

  it("does not look at the store while its size is known to be small", async () => {
    await cache.put("a", [content("a")]);
    expect(await needed(1e9)).toMatchObject({ removedEntries: 0, entries: 1 });
    await cache.put("b", [content("b")]);
    expect(await needed(1e9)).toBeUndefined();
    expect(await needed(1000)).toMatchObject({ entries: 0 });
    cache.clock.now += sweepIntervalMs + 1;
    expect(await needed(1e9)).toMatchObject({ removedEntries: 0 });
  });

  it("counts what other processes added since", async () => {
    await needed(1e9);
    const other = openEntryStore(root);
    for (const name of ["a", "b", "c"]) await other.put(name, [content(name, 10_000)]);
    other.folder.saveUses();
    expect(await needed(25_000)).toMatchObject({ removedEntries: 1 });
  });

  it("is left to the process that is at it, and taken over from one that died", async () => {
    await cache.put("a", [content("a")]);
    const lock = `${root}/v1/sweep.lock`;
    const { stdout } = await runModule(`
      import { processIdentity } from "${sourceUrl}/process-identity.ts";
      console.log(processIdentity());
    `);
    const { processIdentity } = await import("./process-identity.ts");
    writeFileSync(lock, processIdentity());
    expect(await needed(0)).toBeUndefined();
    writeFileSync(lock, stdout.trim());
    expect(await needed(0)).toMatchObject({ removedEntries: 1 });
    expect(existsSync(lock)).toBe(false);
  });

  it("makes some room in a large store, so that the next run need not sweep", async () => {
    const limit = 256 * 1024 * 1024;
    await cache.put("a", [content("a")]);
    await cache.put("b", [content("b")]);
    cache.folder.recordBlob(limit);
    expect(await needed(limit)).toMatchObject({ removedEntries: 0 });
  });
});

describe("a result that is above the limit alone", () => {
  it.each<EvictionPolicy>(["LRU", "LFU", "FIFO"])(
    "does not take the others with it: %s",
    async (policy) => {
      await trace();
      cache.clock.now += 1000;
      await cache.put("huge", [content("huge", 50_000)]);
      for (let use = 0; use < 5; use += 1) cache.use("huge");
      expect(await sweep(policy, { maxBytes: 20_000 })).toMatchObject({
        removedEntries: 1,
        victims: [cache.id("huge")],
      });
    },
  );
});

describe("the journal", () => {
  it("may be damaged in any way: eviction goes on, by what the files say", async () => {
    await trace();
    cache.folder.saveUses();
    const journal = `${root}/v1/journal`;
    writeFileSync(
      journal,
      `u x y z\n\0\0\0${"9".repeat(400)}\np -1 -1 sha256/x/y\n${readFileSync(journal, "utf8").slice(0, 200)}`,
    );
    writeFileSync(`${root}/v1/index`, "cuenv-index 1 nonsense nonsense\nNaN 0 0 id\n");
    const { totalBytes, sweptMs } = readUsage(cache.folder.layout);
    expect(totalBytes).toBeGreaterThanOrEqual(0);
    expect(readTotals(cache.folder.layout)).toEqual({ totalBytes, sweptMs });
    expect(await sweep("LRU", { maxBytes: 0 })).toMatchObject({ removedEntries: 4, bytes: 0 });
  });

  it("is folded into the index when it grows, and nothing is lost", async () => {
    await cache.put("a", [content("a")]);
    const lines = Math.ceil(maxJournalBytes / 90);
    for (let round = 0; round < lines; round += 1)
      cache.folder.recordUse(`sha256/default/${String(round).padStart(64, "0")}`);
    cache.use("a");
    cache.folder.saveUses();
    expect(
      existsSync(`${root}/v1/journal`) && statSync(`${root}/v1/journal`).size > maxJournalBytes,
    ).toBe(false);
    expect(readUsage(cache.folder.layout).entries.get(cache.id("a"))).toMatchObject({ count: 1 });
    expect(readUsage(cache.folder.layout).entries.size).toBe(lines + 1);
  });

  it("and the index tell the size of the store without their entries", async () => {
    expect(readTotals(cache.folder.layout)).toEqual({ sweptMs: undefined, totalBytes: 0 });
    await trace();
    cache.folder.saveUses();
    const totals = () => {
      const { sweptMs, totalBytes } = readUsage(cache.folder.layout);
      return { sweptMs, totalBytes };
    };
    expect(totals().totalBytes).toBeGreaterThan(0);
    expect(readTotals(cache.folder.layout)).toEqual(totals());
    await sweep("LRU", {});
    await cache.put("more", [content("more")]);
    cache.folder.saveUses();
    expect(totals().sweptMs).toBeDefined();
    expect(readTotals(cache.folder.layout)).toEqual(totals());
  });

  it("is written at the end of a process that did not save it", async () => {
    const { code } = await runModule(`
      import { openEntryStore } from "${sourceUrl.replace("/src", "/test/entries.ts")}";
      await openEntryStore(${JSON.stringify(root)}).put("a", ["a"]);
    `);
    expect(code).toBe(0);
    expect(readUsage(cache.folder.layout).entries.has(cache.id("a"))).toBe(true);
  });

  it("row 6: is not written by a run that only reads", async () => {
    await cache.put("a", [content("a")]);
    cache.folder.saveUses();
    const before = listTree(root);
    const { openCacheFolder } = await import("./cache-folder.ts");
    const reading = openCacheFolder({ root, readOnly: true });
    reading.assertReadable();
    reading.recordUse(cache.id("a"));
    reading.saveUses();
    expect(listTree(root)).toEqual(before);
    await expect(
      evict({
        folder: reading,
        references,
        policy: "LRU",
        limits: { maxBytes: 0, maxAgeMs: undefined },
      }),
    ).rejects.toMatchObject({ code: "CAS_STORE_UNAVAILABLE" });
  });
});
