import { type BlobStore, createDiskBlobStore, openCacheFolder } from "@cuenv/cas";
import { evict, type EvictionPolicy, verifyStore } from "@cuenv/cas/maintenance";
import { type Digest, hashText } from "@cuenv/digest";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeResult } from "../test/result.ts";
import { type ActionCache, createActionCache } from "./action-cache.ts";
import {
  getActionResult,
  getContent,
  hasActionResult,
  hasContent,
  maxContentBytes,
  uploadActionResult,
  uploadContent,
} from "./content-operations.ts";
import { createDiskActionStore } from "./disk-action-store.ts";
import { checkStoredEntry, entryReferences } from "./stored-entry.ts";
import type { TaskResult } from "./task-result.ts";

let base: string;
const clock = { now: Date.parse("2026-11-22T18:00:10.000Z") };
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "cuenv-ac-"));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const now = (): number => clock.now;

function open(changes: { readOnly?: boolean; namespace?: string; blobs?: BlobStore } = {}) {
  const { readOnly = false, namespace = "default" } = changes;
  const folder = openCacheFolder({ root: `${base}/cache`, readOnly, now });
  const actions = createDiskActionStore({ folder, digestFunction: "sha256" });
  const blobs = changes.blobs ?? createDiskBlobStore({ folder, digestFunction: "sha256" });
  return { folder, cache: createActionCache({ actions, blobs, namespace, now }) };
}

async function store(
  cache: ActionCache,
  result: TaskResult,
  contents = ["a", "built\n", "{}"],
): Promise<void> {
  for (const content of contents) await cache.blobs.ingest(Buffer.from(content));
  await cache.put(result);
}

const pathOf = (key: Digest): string =>
  `${base}/cache/v1/ac/sha256/default/${key.hash.slice(0, 2)}/${key.hash}`;

describe("a lookup", () => {
  it("row 1: gives back in another opening what was put", async () => {
    const result = makeResult();
    await store(open().cache, result);
    expect(await open().cache.get(result.key)).toMatchObject({ kind: "hit", result });
    expect(await open({ readOnly: true }).cache.get(result.key, { complete: true })).toMatchObject({
      kind: "hit",
    });
  });

  it("misses what was never put, and makes nothing on the disk", async () => {
    expect(await open().cache.get(hashText("sha256", "x"))).toMatchObject({
      kind: "miss",
      reason: "absent",
    });
    expect(existsSync(`${base}/cache`)).toBe(false);
  });

  it("row 28, T3: misses an entry that was copied under another key", async () => {
    const result = makeResult();
    const { cache } = open();
    await store(cache, result);
    const other = hashText("sha256", "another action");
    mkdirSync(dirname(pathOf(other)), { recursive: true });
    copyFileSync(pathOf(result.key), pathOf(other));
    expect(await cache.get(other)).toMatchObject({ kind: "miss", reason: "keyMismatch" });
  });

  it("row 28: misses a damaged entry, which the next put heals", async () => {
    const result = makeResult();
    const { cache } = open();
    await store(cache, result);
    const bytes = readFileSync(pathOf(result.key));
    for (const damaged of [Buffer.alloc(0), bytes.subarray(0, 100), Buffer.alloc(bytes.length)]) {
      writeFileSync(pathOf(result.key), damaged);
      expect(await cache.get(result.key)).toMatchObject({ kind: "miss", reason: "corrupt" });
    }
    await cache.put(result);
    expect(await cache.get(result.key)).toMatchObject({ kind: "hit" });
  });

  it("misses a result that began too long ago", async () => {
    const result = makeResult();
    const { cache } = open();
    await store(cache, result);
    expect(await cache.get(result.key, { maxAgeMs: 10_000 })).toMatchObject({ kind: "hit" });
    expect(await cache.get(result.key, { maxAgeMs: 9_999 })).toMatchObject({
      kind: "miss",
      reason: "expired",
    });
  });

  it("misses a result of which a blob is gone, when it is asked for a whole one", async () => {
    const result = makeResult();
    const { cache } = open();
    await store(cache, result, ["a", "{}"]);
    expect(await cache.get(result.key, { complete: true })).toMatchObject({
      kind: "miss",
      reason: "incomplete",
      detail: "1 of its blobs are not in the store",
    });
    expect(await cache.get(result.key)).toMatchObject({ kind: "hit" });
  });

  it("misses, and does not throw, when the folder cannot be read", async () => {
    mkdirSync(`${base}/cache`);
    writeFileSync(`${base}/cache/other`, "");
    const { chmodSync } = await import("node:fs");
    chmodSync(`${base}/cache`, 0o777);
    expect(await open().cache.get(makeResult().key)).toMatchObject({
      kind: "miss",
      reason: "unreadable",
    });
  });

  it("says the reason of an aborted signal", async () => {
    const signal = AbortSignal.abort(new Error("interrupted"));
    await expect(open().cache.get(makeResult().key, { signal })).rejects.toThrow("interrupted");
  });

  it("keeps namespaces apart", async () => {
    const result = makeResult();
    await store(open().cache, result);
    expect(await open({ namespace: "main" }).cache.get(result.key)).toMatchObject({
      reason: "absent",
    });
    expect(() => open({ namespace: "../main" })).toThrow("cannot use namespace");
  });
});

describe("storing", () => {
  it("makes the blobs durable before the entry is there", async () => {
    const order: string[] = [];
    const { cache: inner } = open();
    const { key } = makeResult();
    const blobs: BlobStore = {
      ...inner.blobs,
      flush: async () => void order.push(existsSync(pathOf(key)) ? "entry first" : "flush"),
    };
    await open({ blobs }).cache.put(makeResult());
    order.push(existsSync(pathOf(key)) ? "entry" : "none");
    expect(order).toEqual(["flush", "entry"]);
  });

  it("stores no entry when the blobs cannot be made durable", async () => {
    const { cache: inner } = open();
    const blobs: BlobStore = { ...inner.blobs, flush: () => Promise.reject(new Error("EIO")) };
    await expect(open({ blobs }).cache.put(makeResult())).rejects.toThrow("EIO");
    expect(existsSync(pathOf(makeResult().key))).toBe(false);
  });

  it("row 7: is refused by a run that only reads", async () => {
    await expect(open({ readOnly: true }).cache.put(makeResult())).rejects.toMatchObject({
      code: "AC_STORE_UNAVAILABLE",
    });
    expect(existsSync(`${base}/cache`)).toBe(false);
  });

  it("forgets an entry, and does not mind when it cannot", async () => {
    const result = makeResult();
    const { cache } = open();
    await store(cache, result);
    await open({ readOnly: true }).cache.forget(result.key);
    expect(await cache.get(result.key)).toMatchObject({ kind: "hit" });
    await cache.forget(result.key);
    expect(await cache.get(result.key)).toMatchObject({ reason: "absent" });
  });
});

describe("row 37: the operations by the names of the first design", () => {
  it("are about results and content", async () => {
    const { cache } = open();
    const result = makeResult();
    for (const content of ["a", "built\n"]) await uploadContent(cache, Buffer.from(content));
    await uploadActionResult(cache, result);
    expect(await hasActionResult(cache, result.key)).toBe(false);
    const digest = await uploadContent(cache, Buffer.from("{}"));
    expect(await hasActionResult(cache, result.key)).toBe(true);
    expect(await getActionResult(cache, result.key)).toMatchObject({ kind: "hit", result });
    expect([
      await hasContent(cache, digest),
      await hasContent(cache, hashText("sha256", "none")),
    ]).toEqual([true, false]);
    expect(Buffer.from(await getContent(cache, digest)).toString()).toBe("{}");
    const large = Buffer.alloc(5_000_000, "large");
    const largeDigest = await uploadContent(cache, large);
    expect(large.equals(await getContent(cache, largeDigest))).toBe(true);
    await expect(getContent(cache, hashText("sha256", "none"))).rejects.toMatchObject({
      code: "CAS_BLOB_NOT_FOUND",
    });
    const beyond = { hash: digest.hash, sizeBytes: maxContentBytes + 1 };
    await expect(getContent(cache, beyond)).rejects.toMatchObject({ code: "CAS_RANGE_INVALID" });
  });
});

describe("row 16: eviction of real entries", () => {
  const named = (name: string): TaskResult =>
    makeResult({
      key: { ...hashText("sha256", name), function: "sha256" },
      outputs: [
        {
          kind: "file",
          path: `out/${name}`,
          digest: hashText("sha256", name.repeat(500)),
          executable: false,
        },
      ],
      stdout: null,
      keyInputs: null,
    });

  it.each<[EvictionPolicy, string[]]>([
    ["LRU", ["b", "c", "a"]],
    ["LFU", ["c", "a", "b"]],
    ["FIFO", ["a", "b", "c"]],
  ])(
    "row 16: after %s the lookups of victims miss, in the order of the policy",
    async (policy, order) => {
      const { cache, folder } = open();
      for (const name of ["a", "b", "c"]) {
        clock.now += 1000;
        await store(cache, named(name), [name.repeat(500)]);
      }
      for (const name of ["b", "b", "b", "c", "a", "a"]) {
        clock.now += 1000;
        expect(await cache.get(named(name).key, { complete: true })).toMatchObject({ kind: "hit" });
      }
      const gone: string[] = [];
      for (let left = 2; left >= 0; left -= 1) {
        const before = await evict({
          folder,
          policy,
          references: entryReferences,
          limits: { maxBytes: undefined, maxAgeMs: undefined },
        });
        await evict({
          folder,
          policy,
          references: entryReferences,
          limits: { maxBytes: before.bytes - 1, maxAgeMs: undefined },
        });
        const reading = open({ readOnly: true }).cache;
        for (const name of ["a", "b", "c"]) {
          const hit = (await reading.get(named(name).key, { complete: true })).kind === "hit";
          if (!hit && !gone.includes(name)) gone.push(name);
        }
      }
      expect(gone).toEqual(order);
      expect(
        await cache.blobs.missing(order.map((name) => hashText("sha256", name.repeat(500)))),
      ).toHaveLength(3);
    },
  );

  it("row 16: an entry whose blob went is a miss, and verification names it", async () => {
    const { cache, folder } = open();
    await store(cache, named("a"), ["a".repeat(500)]);
    const { hash } = hashText("sha256", "a".repeat(500));
    rmSync(`${base}/cache/v1/cas/sha256/${hash.slice(0, 2)}/${hash}`);
    expect(await cache.get(named("a").key, { complete: true })).toMatchObject({
      reason: "incomplete",
    });
    const options = { folder, references: entryReferences, check: checkStoredEntry };
    expect(await verifyStore(options)).toMatchObject({ problems: [{ kind: "danglingEntry" }] });
    await verifyStore({ ...options, repair: true });
    expect(await cache.get(named("a").key)).toMatchObject({ reason: "absent" });
    expect((await verifyStore(options)).problems).toEqual([]);
    expect(readdirSync(`${base}/cache/v1`)).not.toContain("sweep.lock");
  });
});
