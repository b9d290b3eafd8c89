import { type Digest, hashText } from "@cuenv/digest";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canBeNobody, canMount, runModule, sourceUrl } from "../test/other-process.ts";
import { makeFolder } from "../test/workspace.ts";
import type { BlobStore } from "./blob-store.ts";
import { type CacheFolder, openCacheFolder } from "./cache-folder.ts";
import { readAll } from "./contract.ts";
import { createDiskBlobStore } from "./disk-blob-store.ts";
import { blobPath } from "./disk-layout.ts";
import { maxQuarantineBytes, maxQuarantineFiles } from "./quarantine.ts";

let base: string;
let root: string;
let folder: CacheFolder;
let store: BlobStore;
beforeEach(() => {
  base = makeFolder();
  root = `${base}/cache`;
  folder = openCacheFolder({ root });
  store = createDiskBlobStore({ folder, digestFunction: "sha256" });
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const digestOf = (text: string): Digest => hashText("sha256", text);
const pathOf = (digest: Digest): string => blobPath(root, "sha256", digest.hash);

describe("what is on the disk", () => {
  it("row 8: is nothing at all before the first write", async () => {
    expect(await store.missing([digestOf("x")])).toHaveLength(1);
    expect(store.readSync?.(digestOf("x"))).toBeUndefined();
    expect(store.localPath?.(digestOf("x"))).toBeUndefined();
    expect(existsSync(root)).toBe(false);
  });

  it("is one raw file per blob, named by its hash, and the signs of a cache", async () => {
    const digest = await store.ingest(Buffer.from("hello"));
    expect(digest.hash).toBe("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    const path = `${root}/v1/cas/sha256/2c/${digest.hash}`;
    expect(readFileSync(path, "utf8")).toBe("hello");
    expect(readFileSync(`${root}/CACHEDIR.TAG`, "utf8")).toMatch(
      /^Signature: 8a477f597d28d172789f06886806bc55\n/,
    );
    expect(readFileSync(`${root}/README`, "utf8")).toContain("can be deleted at any moment");
  });

  it("is private: folders 0700, files 0600, whatever the umask", async () => {
    const before = process.umask(0o022);
    try {
      const digest = await store.ingest(Buffer.from("private"));
      for (const path of [root, `${root}/v1`, dirname(pathOf(digest))]) {
        expect([path, statSync(path).mode & 0o777]).toEqual([path, 0o700]);
      }
      for (const path of [pathOf(digest), `${root}/README`]) {
        expect([path, statSync(path).mode & 0o777]).toEqual([path, 0o600]);
      }
    } finally {
      process.umask(before);
    }
  });

  it("leaves no temporary file behind, also when a write fails", async () => {
    await store.ingest(Buffer.from("good"));
    await expect(store.write(digestOf("x"), Buffer.from("y"))).rejects.toThrow("cannot store blob");
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(3 * 1024 * 1024, 1);
      throw new Error("broken");
    };
    await expect(store.ingest(broken())).rejects.toThrow("broken");
    const processes = readdirSync(`${root}/v1/tmp`);
    expect(processes.flatMap((name) => readdirSync(`${root}/v1/tmp/${name}`))).toEqual([]);
  });

  it("keeps a sparse file sparse", async () => {
    const size = 64 * 1024 * 1024;
    const path = `${base}/sparse`;
    spawnSync("truncate", ["-s", String(size), path]);
    const digest = await store.ingest({ path });
    expect(statSync(pathOf(digest)).size).toBe(size);
    expect(statSync(pathOf(digest)).blocks * 512).toBeLessThan(size / 8);
    let read = 0;
    for await (const chunk of store.read(digest)) read += chunk.length;
    expect(read).toBe(size);
  });
});

describe("a file in the place of a blob", () => {
  it("is not read through a symbolic link", async () => {
    const digest = digestOf("outside");
    writeFileSync(`${base}/outside`, "outside");
    mkdirSync(dirname(pathOf(digest)), { recursive: true });
    symlinkSync(`${base}/outside`, pathOf(digest));
    expect(await store.missing([digest])).toEqual([digest]);
    await expect(readAll(store.read(digest))).rejects.toMatchObject({ code: "CAS_BLOB_NOT_FOUND" });
    await store.write(digest, Buffer.from("outside"));
    expect(lstatSync(pathOf(digest)).isFile()).toBe(true);
    expect(readFileSync(`${base}/outside`, "utf8")).toBe("outside");
  });

  it("does not make us hang when it is a FIFO", async () => {
    const digest = digestOf("fifo");
    mkdirSync(dirname(pathOf(digest)), { recursive: true });
    spawnSync("mkfifo", [pathOf(digest)]);
    await expect(readAll(store.read(digest))).rejects.toMatchObject({ code: "CAS_BLOB_NOT_FOUND" });
    await expect(store.ingest({ path: pathOf(digest) })).rejects.toMatchObject({ code: "EINVAL" });
  });
});

describe("damage", () => {
  it("is kept in a bounded quarantine", async () => {
    for (let round = 0; round < maxQuarantineFiles + 5; round += 1) {
      const digest = await store.ingest(Buffer.from(`blob ${round}`));
      writeFileSync(pathOf(digest), `damage ${round}`);
      await expect(readAll(store.read(digest))).rejects.toMatchObject({ code: "CAS_BLOB_CORRUPT" });
    }
    expect(readdirSync(`${root}/v1/quarantine`)).toHaveLength(maxQuarantineFiles);
    const large = await store.ingest(Buffer.from("large"));
    writeFileSync(pathOf(large), Buffer.alloc(maxQuarantineBytes + 1));
    await expect(readAll(store.read(large))).rejects.toMatchObject({ code: "CAS_BLOB_CORRUPT" });
    expect(existsSync(pathOf(large))).toBe(false);
    expect(readdirSync(`${root}/v1/quarantine`)).toHaveLength(maxQuarantineFiles);
  });

  it("counts as missing in a store that cannot be written, too", async () => {
    const digest = await store.ingest(Buffer.from("read only"));
    writeFileSync(pathOf(digest), "READ ONLY");
    const reading = createDiskBlobStore({
      folder: openCacheFolder({ root, readOnly: true }),
      digestFunction: "sha256",
    });
    await expect(readAll(reading.read(digest))).rejects.toMatchObject({ code: "CAS_BLOB_CORRUPT" });
    expect(await reading.missing([digest])).toEqual([digest]);
    expect(readFileSync(pathOf(digest), "utf8")).toBe("READ ONLY");
  });

  it("C5: of any kind, in any place, is never served, and heals", async () => {
    const damage = fc.record({
      bytes: fc.uint8Array({ minLength: 1, maxLength: 5000 }),
      at: fc.nat(),
      kind: fc.constantFrom("flip" as const, "cut" as const, "zero" as const, "grow" as const),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ bytes, at, kind }) => {
        const digest = await store.ingest(bytes);
        const place = at % bytes.length;
        const damaged = Buffer.from(bytes);
        damaged.writeUInt8(kind === "zero" ? 0 : damaged.readUInt8(place) ^ (1 << (at % 8)), place);
        const contents = {
          flip: damaged,
          zero: damaged,
          cut: damaged.subarray(0, place),
          grow: Buffer.concat([bytes, damaged]),
        };
        writeFileSync(pathOf(digest), contents[kind]);
        const content = contents[kind];
        const served = await readAll(store.read(digest)).catch(
          (error: { code: string }) => error.code,
        );
        const isSame = Buffer.from(bytes).equals(content);
        expect(served).toEqual(isSame ? Buffer.from(bytes) : "CAS_BLOB_CORRUPT");
        await store.write(digest, bytes);
        expect(Buffer.compare(await readAll(store.read(digest)), bytes)).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});

describe("use", () => {
  it("is noted in the mtime, but not again and again", async () => {
    const digest = await store.ingest(Buffer.from("used"));
    const at = (path: string): number => statSync(path).mtimeMs;
    const old = Date.now() - 3_600_000;
    utimesSync(pathOf(digest), old / 1000, old / 1000);
    expect(await store.missing([digest])).toEqual([]);
    const first = at(pathOf(digest));
    expect(first).toBeGreaterThan(old + 3_000_000);
    const recent = Date.now() - 60_000;
    utimesSync(pathOf(digest), recent / 1000, recent / 1000);
    store.readSync?.(digest);
    expect(Math.abs(at(pathOf(digest)) - recent)).toBeLessThan(1);
  });
});

describe("a store that cannot be written", () => {
  it("row 8: reads, and refuses to write with CAS_STORE_UNAVAILABLE, when this run only reads", async () => {
    const digest = await store.ingest(Buffer.from("there"));
    const reading = createDiskBlobStore({
      folder: openCacheFolder({ root, readOnly: true }),
      digestFunction: "sha256",
    });
    expect((await readAll(reading.read(digest))).toString()).toBe("there");
    await expect(reading.ingest(Buffer.from("new"))).rejects.toMatchObject({
      code: "CAS_STORE_UNAVAILABLE",
    });
  });

  it.runIf(canBeNobody)(
    "row 8: reads what it may, and says why it cannot write (EACCES)",
    async () => {
      const program = `
      import { openCacheFolder } from "${sourceUrl}/cache-folder.ts";
      import { createDiskBlobStore } from "${sourceUrl}/disk-blob-store.ts";
      import { chmodSync, mkdirSync } from "node:fs";
      const root = process.env.ROOT;
      const open = () => createDiskBlobStore({ folder: openCacheFolder({ root }), digestFunction: "sha256" });
      const digest = await open().ingest(Buffer.from("there"));
      const shard = root + "/v1/cas/sha256/" + digest.hash.slice(0, 2);
      for (const path of [shard, root + "/v1/cas/sha256", root + "/v1/tmp", root + "/v1", root]) chmodSync(path, 0o500);
      const store = open();
      console.log(Buffer.from(store.readSync(digest)).toString());
      await store.ingest(Buffer.from("new")).catch((error) => console.log(error.code, error.cause?.code, error.hint));
      console.log((await store.missing([digest])).length);
      for (const path of [root, root + "/v1", root + "/v1/tmp", root + "/v1/cas/sha256", shard]) chmodSync(path, 0o700);
    `;
      spawnSync("chmod", ["1777", base]);
      const ended = await runModule(program, {
        asNobody: true,
        environment: { ROOT: `${base}/theirs` },
      });
      expect(ended.stderr).toBe("");
      expect(ended.stdout.split("\n").slice(0, 3)).toEqual([
        "there",
        "CAS_STORE_UNAVAILABLE EACCES Give yourself access to the cache folder, or choose another one with CUENV_CACHE_DIR.",
        "0",
      ]);
    },
  );

  it.runIf(canMount)(
    "says that the disk is full, leaves nothing behind, and works again with room (ENOSPC)",
    async () => {
      const program = `
      import { openCacheFolder } from "${sourceUrl}/cache-folder.ts";
      import { createDiskBlobStore } from "${sourceUrl}/disk-blob-store.ts";
      import { execFileSync } from "node:child_process";
      import { readdirSync, rmSync, writeFileSync } from "node:fs";
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "none", process.env.ROOT]);
      const root = process.env.ROOT + "/cache";
      const store = createDiskBlobStore({ folder: openCacheFolder({ root }), digestFunction: "sha256" });
      const small = await store.ingest(Buffer.from("small"));
      writeFileSync(process.env.ROOT + "/filler", Buffer.alloc(3_000_000));
      for (const size of [2_000_000, 5_000_000]) {
        await store.ingest(Buffer.alloc(size, 7)).catch((error) => console.log(error.code, error.cause?.code));
      }
      console.log(readdirSync(root + "/v1/tmp").flatMap((name) => readdirSync(root + "/v1/tmp/" + name)).length);
      console.log(Buffer.from(store.readSync(small)).toString());
      rmSync(process.env.ROOT + "/filler");
      const digest = await store.ingest(Buffer.alloc(2_000_000, 7));
      console.log(store.readSync(digest).length);
    `;
      const mount = `${base}/mount`;
      mkdirSync(mount);
      const ended = await runModule(program, { withMounts: true, environment: { ROOT: mount } });
      expect(ended.stderr).toBe("");
      expect(ended.stdout.trim().split("\n")).toEqual([
        "CAS_STORE_UNAVAILABLE ENOSPC",
        "CAS_STORE_UNAVAILABLE ENOSPC",
        "0",
        "small",
        "2000000",
      ]);
    },
  );

  it.runIf(canMount)(
    "row 8: reads from a read-only file system, and changes nothing there (EROFS)",
    async () => {
      const program = `
      import { openCacheFolder } from "${sourceUrl}/cache-folder.ts";
      import { createDiskBlobStore } from "${sourceUrl}/disk-blob-store.ts";
      import { execFileSync } from "node:child_process";
      import { utimesSync, writeFileSync } from "node:fs";
      const { ROOT } = process.env;
      execFileSync("mount", ["-t", "tmpfs", "none", ROOT]);
      const open = () => {
        const folder = openCacheFolder({ root: ROOT + "/cache" });
        return { folder, store: createDiskBlobStore({ folder, digestFunction: "sha256" }) };
      };
      const first = open();
      const digest = await first.store.ingest(Buffer.from("there"));
      const damaged = await first.store.ingest(Buffer.from("sound"));
      writeFileSync(first.store.localPath(damaged), "SOUND");
      utimesSync(first.store.localPath(digest), 0, 0);
      first.folder.saveUses();
      execFileSync("mount", ["-o", "remount,ro", ROOT]);
      const { folder, store } = open();
      folder.recordUse("sha256/default/x");
      folder.saveUses();
      console.log(Buffer.from(store.readSync(digest)).toString(), folder.temporaryDirectory());
      try { store.readSync(damaged); } catch (error) { console.log(error.code); }
      console.log((await store.missing([digest, damaged])).length);
      await store.ingest(Buffer.from("new")).catch((error) => console.log(error.code, error.cause.code));
    `;
      const mount = `${base}/mount`;
      mkdirSync(mount);
      const ended = await runModule(program, { withMounts: true, environment: { ROOT: mount } });
      expect(ended.stderr).toBe("");
      expect(ended.stdout.trim().split("\n")).toEqual([
        "there undefined",
        "CAS_BLOB_CORRUPT",
        "1",
        "CAS_STORE_UNAVAILABLE EROFS",
      ]);
    },
  );

  it("says that too many files are open, and works again with fewer (EMFILE)", async () => {
    const program = `
      import { openCacheFolder } from "${sourceUrl}/cache-folder.ts";
      import { createDiskBlobStore } from "${sourceUrl}/disk-blob-store.ts";
      import { closeSync, openSync } from "node:fs";
      const store = createDiskBlobStore({ folder: openCacheFolder({ root: process.env.ROOT }), digestFunction: "sha256" });
      const digest = await store.ingest(Buffer.from("there"));
      const open = [];
      try { for (;;) open.push(openSync("/dev/null")); } catch {}
      try { store.readSync(digest); } catch (error) { console.log(error.code, error.cause.code); }
      await store.ingest(Buffer.from("new")).catch((error) => console.log(error.code, error.cause.code));
      for (const file of open) closeSync(file);
      console.log(Buffer.from(store.readSync(digest)).toString(), (await store.ingest(Buffer.from("new"))).sizeBytes);
    `;
    const ended = await runModule(program, { environment: { ROOT: root } });
    expect(ended.stderr).toBe("");
    expect(ended.stdout.trim().split("\n")).toEqual([
      "CAS_STORE_UNAVAILABLE EMFILE",
      "CAS_STORE_UNAVAILABLE EMFILE",
      "there 3",
    ]);
  });

  it("goes on when its folders are removed under it", async () => {
    await store.ingest(Buffer.from("before"));
    rmSync(`${root}/v1`, { recursive: true });
    const digest = await store.ingest(Buffer.from("after"));
    expect((await readAll(store.read(digest))).toString()).toBe("after");
    unlinkSync(pathOf(digest));
    expect(await store.missing([digest])).toEqual([digest]);
  });
});
