import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runModule, sourceUrl } from "../test/other-process.ts";
import { makeFolder } from "../test/workspace.ts";
import { openCacheFolder } from "./cache-folder.ts";
import { verifyStore } from "./verify-store.ts";

let base: string;
beforeEach(() => {
  base = makeFolder();
  mkdirSync(`${base}/workspace`);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/**
 * One of many processes on one store: stores blobs and entries that name them, reads what others stored, restores one output folder that all
 * share, evicts and clears. Entries here are JSON lists of digests. Whatever it reads must be right; what it cannot read must be a miss.
 */
const worker = `
  import { openCacheFolder } from "${sourceUrl}/cache-folder.ts";
  import { createDiskBlobStore } from "${sourceUrl}/disk-blob-store.ts";
  import { restoreOutputs } from "${sourceUrl}/restore-outputs.ts";
  import { entryId, entryPath } from "${sourceUrl}/disk-layout.ts";
  import { evict } from "${sourceUrl}/evict.ts";
  import { evictWhenNeeded } from "${sourceUrl}/evict-when-needed.ts";
  import { clearStore } from "${sourceUrl}/clear-store.ts";
  import { createFileIndex, hashText } from "@cuenv/digest";
  import { rmSync } from "node:fs";
  const { BASE, ROLE, ROUNDS } = process.env;
  const folder = openCacheFolder({ root: BASE + "/cache", durability: ROLE === "batch" ? "batch" : "relaxed" });
  const store = createDiskBlobStore({ folder, digestFunction: "sha256" });
  const index = createFileIndex({ root: BASE + "/workspace", digestFunction: "sha256", stateFile: undefined });
  const references = (bytes) => JSON.parse(Buffer.from(bytes).toString());
  const text = (number) => ("content " + number + " ").repeat(1 + (number % 7) * 300);
  const misses = new Set(["CAS_BLOB_NOT_FOUND"]);
  const counts = { hits: 0, misses: 0, restored: 0, notRestored: 0 };
  for (let round = 0; round < Number(ROUNDS); round += 1) {
    const number = Math.floor(Math.random() * 25);
    const digest = hashText("sha256", text(number));
    if (ROLE === "evict") await evict({ folder, references, policy: "LRU", limits: { maxBytes: 20_000, maxAgeMs: undefined } });
    else if (ROLE === "automatic") await evictWhenNeeded({ folder, references, policy: "LFU", limits: { maxBytes: 20_000, maxAgeMs: undefined } });
    else if (ROLE === "clear") { if (round % 10 === 0) await clearStore(folder); }
    else {
      await store.write(digest, Buffer.from(text(number)));
      await store.flush?.();
      const key = hashText("sha256", "key " + number).hash;
      folder.writeFile(entryPath(folder.root, "sha256", "default", key), Buffer.from(JSON.stringify([digest])));
      folder.recordEntry(entryId("sha256", "default", key), 100);
      const other = Math.floor(Math.random() * 25);
      try {
        const parts = [];
        for await (const chunk of store.read(hashText("sha256", text(other)))) parts.push(chunk);
        if (Buffer.concat(parts).toString() !== text(other)) throw new Error("WRONG BYTES");
        counts.hits += 1;
      } catch (error) {
        if (!misses.has(error.code)) throw error;
        counts.misses += 1;
      }
      const names = [1, 2, 3].map((name) => ({ kind: "file", path: "dist/" + name, digest: hashText("sha256", text(name)), executable: false }));
      const entries = [{ kind: "directory", path: "dist" }, ...names];
      index.invalidate("");
      for (const name of [1, 2, 3]) await store.write(hashText("sha256", text(name)), Buffer.from(text(name)));
      try {
        if (round % 3 === 0) rmSync(BASE + "/workspace/dist", { recursive: true, force: true });
      } catch (error) {
        // Another process restores into it in this moment.
        if (error.code !== "ENOTEMPTY") throw error;
      }
      const result = await restoreOutputs({ index, store, entries, projectDirectory: "", outputs: ["dist"], temporaryDirectory: folder.temporaryDirectory });
      if (result.kind === "restored") counts.restored += 1;
      else if (result.reason === "incomplete" || result.reason === "failed") counts.notRestored += 1;
      else throw new Error("restore: " + result.reason + " " + result.detail);
    }
  }
  console.log(JSON.stringify(counts));
`;

const references = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString());

describe("C6: many processes on one store", () => {
  it("row 47: store, restore, evict and clear at once; what is read is right, and nothing is left broken", async () => {
    const roles = ["store", "store", "batch", "store", "evict", "automatic", "clear"];
    const ended = await Promise.all(
      roles.map((role) =>
        runModule(worker, {
          environment: { BASE: base, ROLE: role, ROUNDS: role === "evict" ? "15" : "40" },
        }),
      ),
    );
    for (const [number, { code, stderr }] of ended.entries()) {
      expect([roles[number], code, stderr]).toEqual([roles[number], 0, ""]);
    }
    const counts = ended
      .slice(0, 4)
      .map(({ stdout }) => JSON.parse(stdout) as Record<string, number>);
    const sum = (name: string): number =>
      counts.reduce((total, each) => total + (each[name] ?? 0), 0);
    expect(sum("hits")).toBeGreaterThan(10);
    expect(sum("restored")).toBeGreaterThan(10);
    const folder = openCacheFolder({ root: `${base}/cache` });
    const verified = await verifyStore({ folder, references, check: () => ({ kind: "sound" }) });
    expect(verified.problems.filter(({ kind }) => kind !== "danglingEntry")).toEqual([]);
    const left = readdirSync(`${base}/cache/v1/tmp`);
    expect(left.flatMap((name) => readdirSync(`${base}/cache/v1/tmp/${name}`))).toEqual([]);
    expect(readdirSync(`${base}/workspace`).filter((name) => name !== "dist")).toEqual([]);
  });
});
