import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canBeNobody, runModule } from "../test/other-process.ts";
import { makeFolder } from "../test/workspace.ts";
import { openCacheFolder } from "./cache-folder.ts";
import { createDiskBlobStore } from "./disk-blob-store.ts";
import { hashText } from "@cuenv/digest";

let base: string;
let root: string;
beforeEach(() => {
  base = makeFolder();
  root = `${base}/cache`;
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const nobody = 65534;

function open(path = root) {
  const warnings: string[] = [];
  const folder = openCacheFolder({ root: path, onWarning: (message) => warnings.push(message) });
  return { store: createDiskBlobStore({ folder, digestFunction: "sha256" }), folder, warnings };
}

async function refusal(path = root): Promise<string> {
  const { store } = open(path);
  const reading = await store.missing([hashText("sha256", "x")]).catch((error: Error) => error);
  const writing = await store.ingest(Buffer.from("x")).catch((error: Error) => error);
  expect(reading).toMatchObject({ code: "CAS_STORE_UNAVAILABLE" });
  expect(writing).toMatchObject({ code: "CAS_STORE_UNAVAILABLE" });
  return (writing as Error).message;
}

describe("T14: a cache folder that others could have filled", () => {
  it("is mended when it is ours and holds a cache or nothing, and says so once", async () => {
    mkdirSync(root);
    chmodSync(root, 0o777);
    const { store, warnings } = open();
    await store.missing([hashText("sha256", "x")]);
    await store.ingest(Buffer.from("x"));
    expect(statSync(root).mode & 0o777).toBe(0o755);
    expect(warnings).toEqual([
      `cache folder ${root} is writable for others (mode 777); they no longer can`,
    ]);
    chmodSync(root, 0o775);
    await open().store.ingest(Buffer.from("y"));
    expect(statSync(root).mode & 0o777).toBe(0o755);
  });

  it("is not used, nor changed, when it holds something else", async () => {
    mkdirSync(root);
    writeFileSync(`${root}/letters.txt`, "not a cache");
    chmodSync(root, 0o777);
    expect(await refusal()).toContain("is writable for others (mode 777)");
    expect(statSync(root).mode & 0o777).toBe(0o777);
    expect(readdirSync(root)).toEqual(["letters.txt"]);
  });

  it("is not used when it is sticky and open to all, like /tmp itself", async () => {
    mkdirSync(root);
    chmodSync(root, 0o1777);
    expect(await refusal()).toContain("is writable for others");
    expect(statSync(root).mode & 0o7777).toBe(0o1777);
  });

  it.runIf(canBeNobody)("is not used when it is somebody else's", async () => {
    mkdirSync(root, { mode: 0o700 });
    chownSync(root, nobody, nobody);
    expect(await refusal()).toContain("belongs to user 65534");
    expect(readdirSync(root)).toEqual([]);
  });

  it.runIf(canBeNobody)("is not used through somebody else's link", async () => {
    mkdirSync(`${base}/target`, { mode: 0o700 });
    symlinkSync(`${base}/target`, root);
    lchownSync(root, nobody, nobody);
    expect(await refusal()).toContain("is a symbolic link of user 65534");
    expect(readdirSync(`${base}/target`)).toEqual([]);
  });

  it("is used through a link of our own", async () => {
    mkdirSync(`${base}/target`, { mode: 0o700 });
    symlinkSync(`${base}/target`, root);
    await open().store.ingest(Buffer.from("x"));
    expect(existsSync(`${base}/target/v1/cas`)).toBe(true);
  });

  it("is not made below a folder in which anybody can put another in its place", async () => {
    mkdirSync(`${base}/open`);
    chmodSync(`${base}/open`, 0o777);
    expect(await refusal(`${base}/open/deep/cache`)).toContain(
      `${base}/open, a folder above it, is writable for everybody`,
    );
    expect(readdirSync(`${base}/open`)).toEqual([]);
  });

  it("is not marked as one that backups pass over where there are other things in it", async () => {
    mkdirSync(root);
    writeFileSync(`${root}/letters.txt`, "not a cache");
    await open().store.ingest(Buffer.from("x"));
    expect(readdirSync(root).toSorted()).toEqual(["letters.txt", "v1"]);
    rmSync(`${root}/letters.txt`);
    await open().store.ingest(Buffer.from("y"));
    expect(readdirSync(root).toSorted()).toEqual(["CACHEDIR.TAG", "README", "v1"]);
    writeFileSync(`${root}/letters.txt`, "not a cache");
    await open().store.ingest(Buffer.from("z"));
    expect(readdirSync(root)).toContain("CACHEDIR.TAG");
  });

  it("is made below a sticky folder, as /tmp is", async () => {
    mkdirSync(`${base}/tmp`);
    chmodSync(`${base}/tmp`, 0o1777);
    await open(`${base}/tmp/cuenv`).store.ingest(Buffer.from("x"));
    expect(statSync(`${base}/tmp/cuenv`).mode & 0o777).toBe(0o700);
  });

  it.runIf(canBeNobody)("is not made in somebody else's folder in a sticky one", async () => {
    mkdirSync(`${base}/tmp/theirs`, { recursive: true });
    chmodSync(`${base}/tmp`, 0o1777);
    chownSync(`${base}/tmp/theirs`, nobody, nobody);
    expect(await refusal(`${base}/tmp/theirs/cuenv`)).toContain("belongs to user 65534");
  });

  it("is not used when it is a file", async () => {
    writeFileSync(root, "");
    expect(await refusal()).toContain("is not a folder");
  });

  it("is not made behind a link to nothing", async () => {
    symlinkSync(`${base}/nowhere`, root);
    symlinkSync(`${base}/nowhere`, `${base}/parent`);
    for (const path of [root, `${base}/parent/deep/cache`]) {
      const { store } = open(path);
      await expect(store.ingest(Buffer.from("x"))).rejects.toMatchObject({
        code: "CAS_STORE_UNAVAILABLE",
      });
      expect(await store.missing([hashText("sha256", "x")])).toHaveLength(1);
    }
    expect(existsSync(`${base}/nowhere`)).toBe(false);
  });

  it.runIf(canBeNobody)(
    "takes nothing and gives nothing while somebody swaps it for links 10 000 times",
    async () => {
      const open777 = `${base}/open`;
      const outside = `${base}/outside`;
      for (const path of [open777, outside]) {
        mkdirSync(path);
        chmodSync(path, 0o777);
      }
      // Where he could lead us: a folder of ours, private, that would be trusted by itself.
      chmodSync(outside, 0o700);
      chmodSync(base, 0o755);
      const swapper = runModule(
        `import { mkdirSync, rmdirSync, symlinkSync, unlinkSync } from "node:fs";
        for (let turn = 0; turn < 10_000; turn += 1) {
          symlinkSync(${JSON.stringify(outside)}, ${JSON.stringify(`${open777}/cache`)});
          unlinkSync(${JSON.stringify(`${open777}/cache`)});
          mkdirSync(${JSON.stringify(`${open777}/cache`)});
          rmdirSync(${JSON.stringify(`${open777}/cache`)});
        }
        console.log("swapped");`,
        { asNobody: true },
      );
      const swapping = { ended: false };
      const end = swapper.finally(() => (swapping.ended = true));
      let refused = 0;
      while (!swapping.ended) {
        for (let attempt = 0; attempt < 10; attempt += 1) {
          const stored = await open(`${open777}/cache`)
            .store.ingest(Buffer.from("x"))
            .catch((error: Error) => error);
          if (stored instanceof Error) refused += 1;
          else throw new Error("something was stored where anybody can put another folder");
        }
        // He gets on with it: two who take the folder's lock from each other all the time take twenty times as long.
        await setTimeout(1);
      }
      expect(await end).toMatchObject({ stdout: "swapped\n", stderr: "" });
      expect(refused).toBeGreaterThan(50);
      expect(readdirSync(outside)).toEqual([]);
    },
  );

  it("never throws when it is opened", () => {
    expect(() => open("/proc/none/cache")).not.toThrow();
    expect(() => open(`${base}/${"x".repeat(5000)}`)).not.toThrow();
  });
});
