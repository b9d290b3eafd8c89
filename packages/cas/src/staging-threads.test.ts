import { type Digest, hashBytes } from "@cuenv/digest";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canLimit, runModule, sourceUrl } from "../test/other-process.ts";
import { makeFolder } from "../test/workspace.ts";
import { type BlobStore, maxSyncReadBytes } from "./blob-store.ts";
import { openCacheFolder } from "./cache-folder.ts";
import { createDiskBlobStore } from "./disk-blob-store.ts";
import { blobPath } from "./disk-layout.ts";
import type { FileToStage } from "./stage-file.ts";
import { stageFiles } from "./stage-files.ts";
import { createStagingThreads, stagingThreads, type StagingThreads } from "./staging-threads.ts";

let base: string;
let root: string;
let store: BlobStore;
beforeEach(() => {
  base = makeFolder();
  root = `${base}/cache`;
  mkdirSync(`${base}/staged`);
  store = createDiskBlobStore({ folder: openCacheFolder({ root }), digestFunction: "sha256" });
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const pathOf = (digest: Digest): string => blobPath(root, "sha256", digest.hash);
const stagedNames = (): string[] => readdirSync(`${base}/staged`).toSorted();

/** One thread that is there. */
async function ready(options: { readonly idleMs?: number } = {}): Promise<StagingThreads> {
  const { openedFrom: place } = store;
  if (place === undefined) throw new Error("a disk store can be opened by another thread");
  const threads = createStagingThreads({ place, maxThreads: 1, firstThreadAt: 1, ...options });
  threads.expect(1, 1);
  while (threads.ready() === 0) await sleep(1);
  return threads;
}

/** Without taking the files back before the thread has begun with them. */
async function stagedByThread(
  threads: StagingThreads,
  files: readonly FileToStage[],
): Promise<void> {
  for (let waited = 1, isStaged = false; !isStaged; waited *= 2) {
    const offer = threads.offer(files);
    await sleep(waited);
    isStaged = (await offer?.settle()) === true;
    if (waited > 1000) throw new Error("the thread does not stage these files");
  }
}

async function fileOf(bytes: Buffer, name: string, executable = false): Promise<FileToStage> {
  const digest = await store.ingest(bytes);
  return {
    entry: { kind: "file", path: name, digest, executable },
    target: `${base}/staged/${name}`,
  };
}

const smallFiles = (count: number): Promise<FileToStage[]> =>
  Promise.all(
    Array.from({ length: count }, (_, index) =>
      fileOf(Buffer.from(`${index}`.repeat(index % 700)), `${index}`, index % 3 === 0),
    ),
  );

/** As {@link StagingThreads}, and how many files they staged. */
function counted(threads: StagingThreads): StagingThreads & { readonly staged: () => number } {
  let count = 0;
  return {
    ...threads,
    staged: () => count,
    offer: (files) => {
      const offer = threads.offer(files);
      if (offer === undefined) return undefined;
      let isCounted = false;
      const settle = async (signal?: AbortSignal): Promise<boolean> => {
        const isStaged = await offer.settle(signal);
        if (isStaged && !isCounted) count += files.length;
        isCounted = true;
        return isStaged;
      };
      return { files, settle };
    },
  };
}

describe("threads that stage files", () => {
  it("share the work with the one that restores, and the files are the same", async () => {
    const files = await smallFiles(600);
    const threads = counted(await ready());
    await stageFiles(files, { store, signal: undefined, threads });
    expect(threads.staged()).toBeGreaterThan(0);
    for (const { entry, target } of files) {
      expect(hashBytes("sha256", readFileSync(target))).toEqual(entry.digest);
      expect(statSync(target).mode & 0o777).toBe(
        (entry.executable ? 0o777 : 0o666) & ~process.umask(),
      );
    }
    expect(stagedNames()).toHaveLength(files.length);
  });

  it("take large files, holes and all", async () => {
    const size = 3 * maxSyncReadBytes;
    const files = await Promise.all(
      Array.from({ length: 8 }, (_, index) => {
        const bytes = Buffer.alloc(size + index);
        bytes.write(`head ${index}`);
        bytes.write(`tail ${index}`, size - 10);
        return fileOf(bytes, `${index}`);
      }),
    );
    const threads = counted(await ready());
    await stageFiles(files, { store, signal: undefined, threads });
    expect(threads.staged()).toBeGreaterThan(0);
    for (const { entry, target } of files)
      expect(hashBytes("sha256", readFileSync(target))).toEqual(entry.digest);
  });

  it.each<[string, string, (path: string) => void]>([
    ["damaged", "CAS_BLOB_CORRUPT", (path) => writeFileSync(path, "wrong")],
    ["cut", "CAS_BLOB_CORRUPT", (path) => truncateSync(path, 1)],
    ["gone", "CAS_BLOB_NOT_FOUND", (path) => rmSync(path)],
    ["a link to the same bytes", "CAS_BLOB_NOT_FOUND", (path) => link(path)],
    ["a FIFO", "CAS_BLOB_NOT_FOUND", (path) => fifo(path)],
  ])("leave it to who offered to say that a blob is %s", async (_, code, spoil) => {
    const files = await smallFiles(200);
    const threads = await ready();
    for (const [index, { entry }] of files.entries())
      if (index > 2 && index % 16 === 5) spoil(pathOf(entry.digest));
    const staging = stageFiles(files, { store, signal: undefined, threads });
    await expect(staging).rejects.toMatchObject({ code });
    const quarantine = `${root}/v1/quarantine`;
    const isMovedAway = existsSync(quarantine) && readdirSync(quarantine).length > 0;
    expect(isMovedAway).toBe(code === "CAS_BLOB_CORRUPT");
    const after = stagedNames();
    await sleep(20);
    expect(stagedNames()).toEqual(after);
  });

  it("give back what they could not do, with nothing in its place", async () => {
    const files = await smallFiles(8);
    const [, , , wrong] = files;
    if (wrong === undefined) throw new Error("there are eight");
    writeFileSync(pathOf(wrong.entry.digest), "wrong");
    const offer = (await ready()).offer(files);
    await sleep(50);
    expect(await offer?.settle()).toBe(false);
    expect(await offer?.settle()).toBe(false);
    expect(stagedNames()).toEqual([]);
  });

  it("write nothing any more once an aborted restore has ended", async () => {
    const files = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        fileOf(Buffer.alloc(40 * 1024 * 1024, index + 1), `${index}`),
      ),
    );
    const threads = await ready();
    const controller = new AbortController();
    const staging = stageFiles(files, { store, signal: controller.signal, threads });
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await expect(staging).rejects.toThrow("enough");
    const sizes = (): number[] =>
      stagedNames().map((name) => statSync(`${base}/staged/${name}`).size);
    const after = sizes();
    await sleep(50);
    expect(sizes()).toEqual(after);
    expect(after.length).toBeLessThan(files.length);
  });

  it("note the use of a blob, unless the store is only read", async () => {
    const long = new Date(Date.now() - 24 * 60 * 60 * 1000);
    const files = await smallFiles(5);
    for (const [readOnly, isNoted] of [
      [true, false],
      [false, true],
    ] as const) {
      for (const { entry } of files)
        if (entry.digest.sizeBytes > 0) utimesSync(pathOf(entry.digest), long, long);
      const folder = openCacheFolder({ root, readOnly });
      store = createDiskBlobStore({ folder, digestFunction: "sha256" });
      rmSync(`${base}/staged`, { recursive: true });
      mkdirSync(`${base}/staged`);
      await stagedByThread(await ready(), files);
      const times = files
        .filter(({ entry }) => entry.digest.sizeBytes > 0)
        .map(({ entry }) => statSync(pathOf(entry.digest)).mtimeMs > long.getTime() + 1000);
      expect(new Set(times)).toEqual(new Set([isNoted]));
    }
  });

  it("end when nothing comes, and are started again when much does", async () => {
    const threads = await ready({ idleMs: 20 });
    while (threads.ready() > 0) await sleep(5);
    const files = await smallFiles(40);
    expect(threads.offer(files.slice(0, 8))).toBeUndefined();
    while (threads.ready() === 0) {
      threads.expect(1, 1);
      await sleep(1);
    }
    await stagedByThread(threads, files.slice(8, 16));
  });

  it("are not started for little, nor for a store that another thread cannot open", async () => {
    const threads = stagingThreads(store);
    for (let restore = 0; restore < 200; restore += 1)
      expect(threads?.expect(5, 300_000) ?? false).toBe(false);
    expect(threads?.expect(10, 5_000_000) ?? true).toBe(true);
    await sleep(50);
    expect(threads?.ready() ?? 0).toBe(0);
    const { openedFrom: _, ...other } = store;
    expect(stagingThreads(other)).toBeUndefined();
  });

  it.skipIf(!canLimit).each([
    ["not where addresses are limited", "--as=100000000000", 0],
    ["not where data is limited", "--data=100000000000", 0],
    ["not where descriptors are few", "--nofile=255:255", 0],
    ["where there are enough descriptors", "--nofile=256:256", 1],
  ])("are started %s", async (_, limit, count) => {
    const { stdout, stderr } = await runModule(`
      import { execFileSync } from "node:child_process";
      import { readdirSync } from "node:fs";
      import { createStagingThreads } from "${sourceUrl}/staging-threads.ts";
      const place = { root: ${JSON.stringify(root)}, digestFunction: "sha256", readOnly: false, touchIntervalMs: 1 };
      const threads = createStagingThreads({ place, firstThreadAt: 1, maxThreads: 1 });
      execFileSync("prlimit", ["--pid", String(process.pid), "${limit}"]);
      const count = () => readdirSync("/proc/self/task").length;
      const before = count();
      threads.expect(1, 4);
      console.log(count() - before);
    `);
    expect({ stdout, stderr }).toEqual({ stdout: `${count}\n`, stderr: "" });
  });

  it("do not keep a process from ending", async () => {
    const { code, stdout, stderr } = await runModule(`
      import { createStagingThreads } from "${sourceUrl}/staging-threads.ts";
      const place = { root: ${JSON.stringify(root)}, digestFunction: "sha256", readOnly: false, touchIntervalMs: 1 };
      const threads = createStagingThreads({ place, firstThreadAt: 1, maxThreads: 2, idleMs: 60_000 });
      threads.expect(1, 4);
      while (threads.ready() < 2) await new Promise((resolve) => setTimeout(resolve, 1));
      console.log("ready");
    `);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "ready\n", stderr: "" });
  });
});

function link(path: string): void {
  const elsewhere = `${path}-elsewhere`;
  writeFileSync(elsewhere, readFileSync(path));
  rmSync(path);
  symlinkSync(elsewhere, path);
}

function fifo(path: string): void {
  rmSync(path);
  execFileSync("mkfifo", [path]);
}
