import { type Digest, hashBytes } from "@cuenv/digest";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listTree } from "../test/tree.ts";
import { makeFolder } from "../test/workspace.ts";
import { type BlobStore, maxSyncReadBytes } from "./blob-store.ts";
import { chunkBytes } from "./disk-blobs.ts";
import { createMemoryBlobStore } from "./memory-blob-store.ts";
import type { OutputEntry } from "./output-entry.ts";
import { stageOutputs, type StagedUnit } from "./stage-outputs.ts";

let base: string;
let places: string[];
const newPlace = (): string => {
  places.push(`${base}/${places.length}`);
  return places.at(-1) ?? "";
};
beforeEach(() => {
  base = makeFolder();
  places = [];
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const memory = (): BlobStore =>
  createMemoryBlobStore({ digestFunction: "sha256", maxBytes: 2 ** 30 });
const file = (path: string, digest: Digest, executable = false): OutputEntry => ({
  kind: "file",
  path,
  digest,
  executable,
});
const folder = (path: string): OutputEntry => ({ kind: "directory", path });
const stage = async (
  store: BlobStore,
  writes: readonly OutputEntry[],
  signal?: AbortSignal,
): Promise<readonly StagedUnit[]> =>
  (await stageOutputs(writes, { newPlace, store, signal })).units;

/** Gives nothing at once. */
function slow(): BlobStore {
  const store: { -readonly [Name in keyof BlobStore]: BlobStore[Name] } = { ...memory() };
  delete store.readSync;
  return store;
}

/** As a store on the other side of a wire: nothing at once, and nobody but the caller checks what comes. */
function wire(chunksOf: (digest: Digest) => Iterable<Uint8Array>): BlobStore {
  return {
    ...slow(),
    async *read(digest) {
      await sleep(0);
      yield* chunksOf(digest);
    },
  };
}

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

describe("staged outputs", () => {
  it("are renamed one by one, but for what lies in a folder that is staged itself", async () => {
    const store = memory();
    const digest = await store.ingest(Buffer.from("x"));
    const units = await stage(store, [
      file("a", digest),
      file("d", digest),
      folder("dist"),
      file("dist/a", digest, true),
      folder("dist/sub"),
      { kind: "symlink", path: "dist/sub/link", target: "../a" },
      file("dist/sub/b", digest),
      file("other/a", digest),
      { kind: "symlink", path: "other/link", target: "a" },
    ]);
    expect(units.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      "file a",
      "file d",
      "directory dist",
      "file other/a",
      "symlink other/link",
    ]);
    expect(units.map(({ staged }) => staged)).toEqual(places);
    expect(listTree(places[2] ?? "")).toEqual({
      a: "executable eA==",
      sub: "folder",
      "sub/b": "eA==",
      "sub/link": "-> ../a",
    });
    expect(statSync(`${places[2]}/a`).mode & 0o777).toBe(0o777 & ~process.umask());
    expect(readFileSync(places[0] ?? "", "utf8")).toBe("x");
  });

  it("come in any number of chunks, executable or not, with their zeros to the last", async () => {
    const bytes = Buffer.concat([
      Buffer.from("head"),
      Buffer.alloc(3_000_000),
      Buffer.from("middle"),
      Buffer.alloc(2_000_000),
    ]);
    const chunks = Array.from({ length: 5 }, (_, at) =>
      bytes.subarray(at * 1_048_576, (at + 1) * 1_048_576),
    );
    const digest = hashBytes("sha256", bytes);
    const [first, second] = await stage(
      wire(() => chunks),
      [file("a", digest), file("b", digest, true)],
    );
    expect(readFileSync(first?.staged ?? "").equals(bytes)).toBe(true);
    expect(readFileSync(second?.staged ?? "").equals(bytes)).toBe(true);
    expect(statSync(first?.staged ?? "").mode & 0o777).toBe(0o666 & ~process.umask());
    expect(statSync(second?.staged ?? "").mode & 0o777).toBe(0o777 & ~process.umask());
  });

  it.each<[string, readonly string[]]>([
    ["other bytes", ["evil!"]],
    ["fewer", ["right"]],
    ["none", []],
    ["more", ["right one", " and"]],
  ])("are refused when a store gives %s, with no file left open", async (_, chunks) => {
    const digest = hashBytes("sha256", Buffer.from("right one"));
    const before = openFiles();
    const given = wire(() => chunks.map((chunk) => Buffer.from(chunk)));
    await expect(stage(given, [file("a", digest)])).rejects.toMatchObject({
      code: "CAS_BLOB_CORRUPT",
    });
    expect(openFiles()).toBe(before);
  });

  it("of a store that never stops end with the first byte too much", async () => {
    const digest = hashBytes("sha256", Buffer.alloc(10));
    let given = 0;
    const endless = wire(function* () {
      for (;;) {
        given += 1;
        yield Buffer.alloc(4);
      }
    });
    await expect(stage(endless, [file("a", digest)])).rejects.toMatchObject({
      code: "CAS_BLOB_CORRUPT",
    });
    expect(given).toBe(3);
  });

  it("come through one buffer, however many chunks they have", async () => {
    const chunks = Array.from({ length: 5 }, (_, at) => Buffer.alloc(chunkBytes, at + 1));
    const whole = Buffer.concat(chunks);
    const memories = new Set<ArrayBufferLike>();
    const store: BlobStore = {
      ...slow(),
      async *read(_digest, { buffers } = {}) {
        for (const chunk of chunks) {
          const bytes = buffers?.take(chunk.length) ?? Buffer.alloc(chunk.length);
          chunk.copy(bytes);
          memories.add(bytes.buffer);
          yield bytes.subarray(0, chunk.length);
        }
      },
    };
    await stage(store, [file("a", hashBytes("sha256", whole))]);
    expect(readFileSync(`${base}/0`).equals(whole)).toBe(true);
    expect(memories.size).toBe(1);
  });

  it("are refused when the bytes are right and the size is not", async () => {
    const bytes = Buffer.from("right one");
    const digest = { ...hashBytes("sha256", bytes), sizeBytes: bytes.length + 1 };
    const store = wire(() => [bytes]);
    await expect(stage(store, [file("a", digest)])).rejects.toMatchObject({
      code: "CAS_BLOB_CORRUPT",
    });
    // A store on this disk checks hashes itself; the size is checked all the same.
    const local = { ...store, localPath: () => undefined };
    await expect(stage(local, [file("a", digest)])).rejects.toMatchObject({
      code: "CAS_BLOB_CORRUPT",
    });
    expect(await stage(local, [file("a", hashBytes("sha256", bytes))])).toHaveLength(1);
  });

  it("are whole when many of every size are written beside each other, with no file left open", async () => {
    const store = memory();
    const sizes = [0, 1, 40_000, 262_143, 262_144, 300_000, maxSyncReadBytes, maxSyncReadBytes + 1];
    const contents = Array.from({ length: 40 }, (_, at) =>
      Buffer.alloc(sizes[at % sizes.length] ?? 0, `file ${at}`),
    );
    const before = openFiles();
    const writes = await Promise.all(
      contents.map(async (bytes, at) => file(`f${at}`, await store.ingest(bytes), at % 2 === 1)),
    );
    const [units, others] = await Promise.all([stage(store, writes), stage(store, writes)]);
    for (const [at, bytes] of contents.entries()) {
      for (const { staged } of [units[at], others[at]].filter((unit) => unit !== undefined)) {
        expect(readFileSync(staged).equals(bytes), `f${at}`).toBe(true);
        const mode = at % 2 === 1 ? 0o777 : 0o666;
        expect(statSync(staged).mode & 0o777).toBe(mode & ~process.umask());
      }
    }
    expect(openFiles()).toBe(before);
  });

  it("are not written any more once one failed, for want of room or of a blob", async () => {
    const store = memory();
    const large = await Promise.all(
      Array.from({ length: 12 }, async (_, at) =>
        file(`f${at}`, await store.ingest(Buffer.alloc(500_000, `file ${at}`))),
      ),
    );
    const before = openFiles();
    const missing = file("missing", hashBytes("sha256", Buffer.alloc(100_000)));
    await expect(stage(store, [...large, missing])).rejects.toMatchObject({
      code: "CAS_BLOB_NOT_FOUND",
    });
    expect(openFiles()).toBe(before);
    // A place that every write fails at: there is no room on /dev/full.
    let count = 0;
    const options = {
      store,
      signal: undefined,
      newPlace: () => {
        count += 1;
        const place = `${base}/full-${count}`;
        if (count === 3) symlinkSync("/dev/full", place);
        return place;
      },
    };
    await expect(stageOutputs(large, options)).rejects.toMatchObject({ code: "EEXIST" });
    expect(openFiles()).toBe(before);
    const written = readdirSync(base).map((name) => statSync(`${base}/${name}`).size);
    await sleep(20);
    expect(readdirSync(base).map((name) => statSync(`${base}/${name}`).size)).toEqual(written);
  });

  it("wait for eight blobs at a time, and for all of them when one fails", async () => {
    const digests = Array.from({ length: 20 }, (_, at) =>
      hashBytes("sha256", Buffer.from(`${at}`)),
    );
    let running = 0;
    let most = 0;
    let ended = 0;
    const store: BlobStore = {
      ...slow(),
      async *read(digest) {
        running += 1;
        most = Math.max(most, running);
        await sleep(5);
        const at = digests.findIndex(({ hash }) => hash === digest.hash);
        running -= 1;
        ended += 1;
        yield Buffer.from(at === 3 ? "evil" : `${at}`);
      },
    };
    const writes = digests.map((digest, at) => file(`f${at}`, digest));
    await expect(stage(store, writes)).rejects.toMatchObject({ code: "CAS_BLOB_CORRUPT" });
    expect([most, running]).toEqual([8, 0]);
    expect(ended).toBe(20);
  });

  it("are given up when they are called off, before and while they come", async () => {
    const digest = hashBytes("sha256", Buffer.from("x"));
    const controller = new AbortController();
    const reads: unknown[] = [];
    const store: BlobStore = {
      ...slow(),
      async *read(_digest, options) {
        reads.push(options?.signal);
        controller.abort(new Error("called off"));
        await sleep(0);
        yield Buffer.from("x");
      },
    };
    const writes = Array.from({ length: 20 }, (_each, at) => file(`f${at}`, digest));
    await expect(stage(store, writes, controller.signal)).rejects.toThrow("called off");
    expect(reads).toEqual([controller.signal]);
    await expect(stage(store, [folder("d")], controller.signal)).rejects.toThrow("called off");
    expect(reads).toHaveLength(1);
  });

  it("are what was asked for, and nothing that lay in their place", async () => {
    const store = memory();
    const digest = await store.ingest(Buffer.from("x"));
    mkdirSync(`${base}/0`);
    await expect(stage(store, [file("a", digest)])).rejects.toMatchObject({ code: "EEXIST" });
    places = [];
    const large = await store.ingest(Buffer.alloc(maxSyncReadBytes + 1, "x"));
    await expect(stage(store, [file("a", large)])).rejects.toMatchObject({ code: "EEXIST" });
  });

  it("leave no file open when they cannot be written", async () => {
    const store = memory();
    const digest = await store.ingest(Buffer.from("x"));
    const before = openFiles();
    for (let times = 0; times < 3; times += 1) await stage(store, [file("a", digest)]);
    expect(openFiles()).toBe(before);
  });
});
