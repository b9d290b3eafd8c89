import { type Digest, hashText } from "@cuenv/digest";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeFolder } from "../test/workspace.ts";
import type { BlobMembers } from "./blob-members.ts";
import { type CacheFolder, openCacheFolder } from "./cache-folder.ts";
import { clearStore } from "./clear-store.ts";
import { createDiskBlobMembers } from "./disk-blob-members.ts";
import { createDiskBlobStore } from "./disk-blob-store.ts";
import { evict } from "./evict.ts";
import { createMemoryBlobMembers } from "./memory-blob-members.ts";

const digestOf = (text: string): Digest => hashText("sha256", text);

function membersContract(name: string, make: () => BlobMembers): void {
  describe(`which blobs a namespace has: ${name}`, () => {
    let members: BlobMembers;
    beforeAll(() => {
      members = make();
    });

    it("T1: tells one namespace nothing of another", async () => {
      await members.add("main", [digestOf("of main"), digestOf("of both")]);
      await members.add("pr-1", [digestOf("of pr"), digestOf("of both")]);
      const all = ["of main", "of pr", "of both", "of nobody"].map(digestOf);
      const [main, pr, , nobody] = all;
      expect(await members.missing(["main"], all)).toEqual([pr, nobody]);
      expect(await members.missing(["pr-1"], all)).toEqual([main, nobody]);
      expect(await members.missing(["pr-1", "main"], all)).toEqual([nobody]);
      expect(await members.missing(["pr-2"], all)).toEqual(all);
      expect(await members.missing([], all)).toEqual(all);
    });

    it("does not mind what is added twice, or by many at once", async () => {
      const digests = Array.from({ length: 50 }, (_, index) => digestOf(`many ${index}`));
      await Promise.all([1, 2, 3].map(() => members.add("many", digests)));
      expect(await members.missing(["many"], digests)).toEqual([]);
    });

    it("refuses names that could become a path", async () => {
      const digest = digestOf("x");
      for (const namespace of ["", "..", "a/b", "../a", ".a", "a".repeat(129)]) {
        const expected = { code: "AC_NAMESPACE_INVALID" };
        await expect(members.add(namespace, [digest])).rejects.toMatchObject(expected);
        await expect(members.missing([namespace], [digest])).rejects.toMatchObject(expected);
      }
      const odd = { hash: "../../x", sizeBytes: 1 };
      const invalid = { code: "DIGEST_INVALID" };
      await expect(members.add("main", [odd])).rejects.toMatchObject(invalid);
      await expect(members.missing(["main"], [odd])).rejects.toMatchObject(invalid);
    });
  });
}

membersContract("memory", () => createMemoryBlobMembers("sha256"));

const base = makeFolder();
const root = `${base}/cache`;
const folder: CacheFolder = openCacheFolder({ root });
afterAll(() => rmSync(base, { recursive: true, force: true }));

membersContract("disk", () => createDiskBlobMembers({ folder, digestFunction: "sha256" }));

describe("members on disk", () => {
  const members = createDiskBlobMembers({ folder, digestFunction: "sha256" });
  const blobs = createDiskBlobStore({ folder, digestFunction: "sha256" });
  const sweep = (maxBytes: number) =>
    evict({
      folder,
      references: () => undefined,
      policy: "LRU",
      limits: { maxBytes, maxAgeMs: undefined },
    });

  it("are found by another process, and gone with their blobs after a sweep", async () => {
    const digest = await blobs.ingest(Buffer.from("evicted"));
    await members.add("main", [digest]);
    await sweep(1_000_000);
    const again = createDiskBlobMembers({
      folder: openCacheFolder({ root }),
      digestFunction: "sha256",
    });
    expect(await again.missing(["main"], [digest])).toEqual([]);
    await sweep(0);
    expect(await members.missing(["main"], [digest])).toEqual([digest]);
    await members.add("main", [digest]);
    expect(await members.missing(["main"], [digest])).toEqual([]);
  });

  it("go when the store is cleared, and nothing of them is left", async () => {
    const digest = await blobs.ingest(Buffer.from("cleared"));
    await members.add("main", [digest]);
    await clearStore(folder);
    expect(readdirSync(`${root}/v1`)).not.toContain("members");
    expect(existsSync(`${root}/v1/cas`)).toBe(false);
  });
});
