import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { check, type EntryStore, openEntryStore, references } from "../test/entries.ts";
import { runModule, sourceUrl } from "../test/other-process.ts";
import { listTree } from "../test/tree.ts";
import { makeFolder } from "../test/workspace.ts";
import { openCacheFolder } from "./cache-folder.ts";
import { clearStore } from "./clear-store.ts";
import { evict } from "./evict.ts";
import { measureStore } from "./measure-store.ts";
import { type Verification, verifyStore } from "./verify-store.ts";

let base: string;
let root: string;
let cache: EntryStore;
beforeEach(() => {
  base = makeFolder();
  root = `${base}/cache`;
  cache = openEntryStore(root);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const verify = (repair = false): Promise<Verification> =>
  verifyStore({ folder: cache.folder, references, check, repair });
const kinds = ({ problems }: Verification): string[] =>
  problems.map(({ kind, repaired }) => `${kind}${repaired ? " repaired" : ""}`);

describe("verify", () => {
  it("finds nothing in a sound store, and nothing in none", async () => {
    expect(await verify()).toEqual({
      blobs: 0,
      blobBytes: 0,
      entries: 0,
      problems: [],
      abandonedTemporaries: 0,
    });
    expect(existsSync(root)).toBe(false);
    await cache.put("a", ["one", "two", "", "x".repeat(3_000_000)]);
    const { blobs, blobBytes, entries, problems } = await verify();
    expect({ blobs, blobBytes, entries, problems }).toEqual({
      blobs: 3,
      blobBytes: 3_000_006,
      entries: 1,
      problems: [],
    });
  });

  it("takes nothing for damaged because this process lacks what reading needs", async () => {
    await cache.put("sound", ["sound"]);
    const readFile = (): never => {
      throw Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
    };
    const folder = { ...cache.folder, readFile };
    await expect(verifyStore({ folder, references, check, repair: true })).rejects.toThrow(
      expect.objectContaining({ code: "CAS_STORE_UNAVAILABLE" }),
    );
    expect(existsSync(cache.entryPath("sound"))).toBe(true);
  });

  it("names damage, and changes nothing", async () => {
    await cache.put("sound", ["sound"]);
    await cache.put("flipped", ["flipped"]);
    await cache.put("cut", ["cut short"]);
    await cache.put("gone", ["gone"]);
    await cache.put("odd", ["odd"]);
    cache.damage(cache.blobPath("flipped"), "Flipped");
    cache.damage(cache.blobPath("cut short"), "");
    rmSync(cache.blobPath("gone"));
    cache.damage(cache.entryPath("odd"), "no list");
    cache.folder.saveUses();
    const before = listTree(root);
    const found = await verify();
    expect(kinds(found).toSorted()).toEqual([
      "corruptBlob",
      "corruptBlob",
      "damagedEntry",
      "danglingEntry",
      "danglingEntry",
      "danglingEntry",
    ]);
    expect(found.problems.map(({ path }) => path)).toContain(cache.blobPath("flipped"));
    expect(listTree(root)).toEqual(before);
  });

  it("repairs what it finds: afterwards the store is sound, and what was sound is still there", async () => {
    await cache.put("sound", ["sound"]);
    await cache.put("flipped", ["flipped", "also named"]);
    await cache.put("odd", ["odd"]);
    cache.damage(cache.blobPath("flipped"), "Flipped");
    cache.damage(cache.entryPath("odd"), "no list");
    expect(kinds(await verify(true)).toSorted()).toEqual([
      "corruptBlob repaired",
      "damagedEntry repaired",
      "danglingEntry repaired",
    ]);
    expect(await verify()).toMatchObject({ problems: [], entries: 1, blobs: 3 });
    expect(readdirSync(`${root}/v1/quarantine`)).toHaveLength(1);
    expect(existsSync(cache.entryPath("sound"))).toBe(true);
  });

  it("counts what dead processes left in tmp, and sweeps it when it repairs", async () => {
    await cache.put("a", ["a"]);
    await runModule(`
      import { openCacheFolder } from "${sourceUrl}/cache-folder.ts";
      const folder = openCacheFolder({ root: ${JSON.stringify(root)} });
      folder.assertWritable();
      folder.createTemporary();
      process.kill(process.pid, "SIGKILL");
    `);
    expect(await verify()).toMatchObject({ abandonedTemporaries: 1, problems: [] });
    expect(await verify(true)).toMatchObject({ abandonedTemporaries: 1 });
    expect(await verify()).toMatchObject({ abandonedTemporaries: 0 });
  });

  it("C13: passes over files that are not the store's", async () => {
    await cache.put("a", ["a"]);
    const shard = `${root}/v1/cas/sha256/aa`;
    mkdirSync(shard, { recursive: true });
    for (const name of ["README", "bb".repeat(32), "aa".repeat(31), `${"aa".repeat(32)}.tmp`]) {
      writeFileSync(`${shard}/${name}`, "alien");
    }
    mkdirSync(`${shard}/${"aa".repeat(32)}`);
    mkdirSync(`${root}/v1/cas/lost+found`);
    expect(await verify()).toMatchObject({ problems: [], blobs: 1 });
  });
});

function bytesBelow(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(`${entry.parentPath}/${entry.name}`).size : 0),
    0,
  );
}

describe("row 34: clear", () => {
  it("removes entries, blobs and traces of them, and says how much", async () => {
    await cache.put("a", ["one", "two"]);
    await cache.put("b", ["three"]);
    cache.damage(cache.blobPath("three"), "THREE");
    await verify(true);
    // What a process that was killed left: nobody is 4000000.
    mkdirSync(`${root}/v1/tmp/0.0.4000000.1.0123456789abcdef`);
    writeFileSync(`${root}/v1/tmp/0.0.4000000.1.0123456789abcdef/1`, "left");
    const long = (Date.now() - 2 * 60 * 60 * 1000) / 1000;
    utimesSync(`${root}/v1/tmp/0.0.4000000.1.0123456789abcdef`, long, long);
    const { entryBytes, blobBytes } = await measureStore(cache.folder);
    cache.folder.saveUses();
    const before = bytesBelow(root);
    const cleared = await clearStore(cache.folder);
    expect(cleared).toMatchObject({
      removedEntries: 1,
      removedBlobs: 2,
      removedBytes: entryBytes + blobBytes,
    });
    expect(cleared.removedBytes + cleared.otherBytes).toBe(before - bytesBelow(root));
    expect(cleared.otherBytes).toBeGreaterThan("THREE".length + "left".length);
    expect(await measureStore(cache.folder)).toMatchObject({
      entries: 0,
      blobs: 0,
      quarantinedFiles: 0,
    });
    expect(readdirSync(root).toSorted()).toEqual(["CACHEDIR.TAG", "README", "v1"]);
    expect(readdirSync(`${root}/v1`)).toEqual(["tmp"]);
    await cache.put("a", ["one"]);
    expect(await verify()).toMatchObject({ entries: 1, blobs: 1, problems: [] });
  });

  it("never removes what is not the cache's own", async () => {
    await cache.put("a", ["one"]);
    const theirs = [
      `${root}/notes.txt`,
      `${root}/v1/notes.txt`,
      `${root}/v1/cas/notes.txt`,
      `${root}/v1/cas/sha256/notes.txt`,
      `${root}/v1/cas/sha256/00/${"zz".repeat(32)}`,
      `${root}/v1/ac/sha256/default/notes.txt`,
      `${root}/v2/cas/sha256/${"00".repeat(32)}`,
      `${root}/v1/journal.md`,
      `${root}/v1/quarantine/notes.txt`,
      `${root}/v1/tmp/mine/notes.txt`,
    ];
    for (const path of theirs) {
      mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      writeFileSync(path, "mine");
    }
    utimesSync(`${root}/v1/tmp/mine`, 1, 1);
    // As a run does that finds its journal full, or the store.
    await evict({
      folder: cache.folder,
      references,
      limits: { maxBytes: undefined, maxAgeMs: undefined },
      policy: "LRU",
    });
    await clearStore(cache.folder);
    expect(theirs.filter((path) => !existsSync(path))).toEqual([]);
    expect(await measureStore(cache.folder)).toMatchObject({ entries: 0, blobs: 0 });
  });

  it("makes nothing where there is no cache", async () => {
    expect(await clearStore(cache.folder)).toEqual({
      removedEntries: 0,
      removedBlobs: 0,
      removedBytes: 0,
      otherBytes: 0,
    });
    expect(existsSync(root)).toBe(false);
  });

  it("refuses in a folder that is only read", async () => {
    await cache.put("a", ["one"]);
    const reading = openCacheFolder({ root, readOnly: true });
    await expect(clearStore(reading)).rejects.toMatchObject({ code: "CAS_STORE_UNAVAILABLE" });
    expect(await measureStore(reading)).toMatchObject({ entries: 1, blobs: 1 });
  });
});
