import { type Digest, hashText } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder } from "../test/workspace.ts";
import type { BlobStore } from "./blob-store.ts";
import { openCacheFolder } from "./cache-folder.ts";
import { readAll } from "./contract.ts";
import { createDiskBlobStore } from "./disk-blob-store.ts";
import { blobPath } from "./disk-layout.ts";
import { createMemoryBlobStore } from "./memory-blob-store.ts";
import { createTieredBlobStore } from "./tiered-blob-store.ts";

const digestOf = (text: string): Digest => hashText("sha256", text);
const has = async (store: BlobStore, text: string): Promise<boolean> =>
  (await store.missing([digestOf(text)])).length === 0;
const textOf = async (store: BlobStore, text: string): Promise<string> =>
  (await readAll(store.read(digestOf(text)))).toString();

describe("the memory store", () => {
  it("stays within its bound, and forgets the least recently used first", async () => {
    const store = createMemoryBlobStore({ digestFunction: "sha256", maxBytes: 30 });
    for (const text of ["aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"])
      await store.ingest(Buffer.from(text));
    await textOf(store, "aaaaaaaaaa");
    await store.ingest(Buffer.from("dddddddddd"));
    expect(await has(store, "bbbbbbbbbb")).toBe(false);
    expect(await has(store, "aaaaaaaaaa")).toBe(true);
    await store.ingest(Buffer.from("e".repeat(31)));
    expect(await has(store, "e".repeat(31))).toBe(false);
    expect(await has(store, "dddddddddd")).toBe(true);
  });

  it("never serves bytes that a reader wrote to", async () => {
    const store = createMemoryBlobStore({ digestFunction: "sha256", maxBytes: 1000 });
    await store.ingest(Buffer.from("shared bytes"));
    store.readSync?.(digestOf("shared bytes"))?.fill(0);
    await expect(textOf(store, "shared bytes")).rejects.toMatchObject({ code: "CAS_BLOB_CORRUPT" });
    expect(await has(store, "shared bytes")).toBe(false);
  });
});

describe("tiers", () => {
  let base: string;
  let near: BlobStore;
  let far: BlobStore;
  let failures: string[];
  beforeEach(() => {
    base = makeFolder();
    near = createDiskBlobStore({
      folder: openCacheFolder({ root: `${base}/near` }),
      digestFunction: "sha256",
    });
    far = createDiskBlobStore({
      folder: openCacheFolder({ root: `${base}/far` }),
      digestFunction: "sha256",
    });
    failures = [];
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));
  const tiered = (...tiers: [BlobStore, ...BlobStore[]]): BlobStore =>
    createTieredBlobStore({
      tiers,
      onTierFailure: (_, error) =>
        failures.push(error instanceof CuenvError ? error.code : String(error)),
    });
  const broken: BlobStore = (() => {
    const fail = (): never => {
      throw new CuenvError("CAS_STORE_UNAVAILABLE", "cannot reach it");
    };
    return {
      digestFunction: "sha256",
      missing: async () => fail(),
      // eslint-disable-next-line require-yield -- it fails before the first byte
      read: async function* () {
        fail();
      },
      write: async () => fail(),
      ingest: async () => fail(),
      readSync: fail,
    };
  })();

  it("write back what a later one has: small at once, large before it is given", async () => {
    const large = "large ".repeat(600_000);
    await far.ingest(Buffer.from("small"));
    await far.ingest(Buffer.from(large));
    const store = tiered(near, far);
    expect(Buffer.from(store.readSync?.(digestOf("small")) ?? []).toString()).toBe("small");
    expect(await textOf(store, large)).toBe(large);
    await new Promise((resolve) => setImmediate(resolve));
    expect([await has(near, "small"), await has(near, large)]).toEqual([true, true]);
  });

  it("do not write back a part", async () => {
    await far.ingest(Buffer.from("0123456789"));
    const store = tiered(near, far);
    const part = await readAll(store.read(digestOf("0123456789"), { offset: 2, length: 3 }));
    expect(part.toString()).toBe("234");
    expect(await has(near, "0123456789")).toBe(false);
  });

  it("go on to the next one where a blob is damaged, and heal the damage", async () => {
    const store = tiered(near, far);
    await store.ingest(Buffer.from("precious"));
    writeFileSync(blobPath(`${base}/near`, "sha256", digestOf("precious").hash), "Precious");
    expect(await textOf(store, "precious")).toBe("precious");
    expect(failures).toContain("CAS_BLOB_CORRUPT");
    expect(await textOf(near, "precious")).toBe("precious");
  });

  it("row 26: go on when one cannot work, and say so", async () => {
    const memory = createMemoryBlobStore({ digestFunction: "sha256", maxBytes: 1000 });
    for (const store of [tiered(broken, memory), tiered(memory, broken)]) {
      failures = [];
      await store.ingest(Buffer.from("kept"));
      await store.write(digestOf("also"), Buffer.from("also"));
      expect(await store.missing([digestOf("kept"), digestOf("none")])).toEqual([digestOf("none")]);
      expect(await textOf(store, "also")).toBe("also");
      expect(new Set(failures)).toEqual(new Set(["CAS_STORE_UNAVAILABLE"]));
    }
  });

  it("fail only when none can work", async () => {
    const store = tiered(broken, broken);
    const unavailable = { code: "CAS_STORE_UNAVAILABLE" };
    await expect(store.ingest(Buffer.from("x"))).rejects.toMatchObject(unavailable);
    await expect(store.write(digestOf("x"), Buffer.from("x"))).rejects.toMatchObject(unavailable);
    await expect(store.missing([digestOf("x")])).rejects.toMatchObject(unavailable);
    await expect(textOf(store, "x")).rejects.toMatchObject(unavailable);
  });

  it("do not take the rest of a stream for the blob when a tier fails in the middle of it", async () => {
    const eater: BlobStore = {
      ...broken,
      ingest: async (source) => {
        if (Symbol.asyncIterator in source) for await (const _ of source) break;
        throw new CuenvError("CAS_STORE_UNAVAILABLE", "the disk is full");
      },
    };
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("first ");
      yield Buffer.from("second");
    };
    await expect(tiered(near, eater).ingest(stream())).rejects.toMatchObject({
      code: "CAS_STORE_UNAVAILABLE",
    });
    expect(await tiered(near, eater).ingest(Buffer.from("bytes can be read again"))).toEqual(
      digestOf("bytes can be read again"),
    );
  });

  it("are all of one digest function", () => {
    const other = createMemoryBlobStore({ digestFunction: "blake3", maxBytes: 1 });
    expect(() => tiered(near, other)).toThrow("their digest functions differ");
  });
});
