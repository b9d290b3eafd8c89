import { describe, expect, it } from "vitest";
import { canBeNobody, runModule, sourceUrl } from "../test/other-process.ts";

/** A store with two results, the folder of one blob and of one entry closed, and what a program makes of it, as a user whom modes concern. */
async function closed(program: string): Promise<unknown> {
  const ended = await runModule(
    `
    import { chmodSync, existsSync, rmSync } from "node:fs";
    import { dirname } from "node:path";
    import { check, openEntryStore, references } from "${sourceUrl.replace("/src", "/test")}/entries.ts";
    import { makeFolder } from "${sourceUrl.replace("/src", "/test")}/workspace.ts";
    import { clearStore } from "${sourceUrl}/clear-store.ts";
    import { evict } from "${sourceUrl}/evict.ts";
    import { verifyStore } from "${sourceUrl}/verify-store.ts";
    const root = makeFolder() + "/cache";
    const cache = openEntryStore(root);
    await cache.put("a", ["closed", "open"]);
    await cache.put("b", ["other"]);
    await cache.put("closed", ["last"]);
    const { folder } = cache;
    const folders = [dirname(cache.blobPath("closed")), dirname(cache.entryPath("closed"))];
    for (const each of folders) chmodSync(each, 0);
    const open = () => folders.forEach((each) => chmodSync(each, 0o700));
    const isThere = () => ["closed", "open", "other", "last"].map((name) => existsSync(cache.blobPath(name)));
    const areThere = () => ["a", "b", "closed"].map((name) => existsSync(cache.entryPath(name)));
    ${program}
    rmSync(dirname(root), { recursive: true });
    `,
    { asNobody: true },
  );
  expect(ended.stderr).toBe("");
  return JSON.parse(ended.stdout);
}

describe.skipIf(!canBeNobody)("folders of another user in the store", () => {
  it("are passed over by eviction, which removes the rest", async () => {
    const found = await closed(`
      const done = await evict({ folder, references, limits: { maxBytes: 0, maxAgeMs: undefined }, policy: "LRU" });
      open();
      console.log(JSON.stringify([done.removedEntries, areThere(), isThere()]));
    `);
    expect(found).toEqual([2, [false, false, true], [true, false, false, false]]);
  });

  it("are told by a verification, which goes on, and takes nothing that they may hold for gone", async () => {
    const found = await closed(`
      const { problems, entries, blobs } = await verifyStore({ folder, references, check, repair: true });
      open();
      console.log(JSON.stringify([problems.map(({ kind, repaired }) => [kind, repaired]), entries, blobs, areThere()]));
    `);
    const unreadable = ["unreadable", false];
    expect(found).toEqual([[unreadable, unreadable], 2, 3, [true, true, true]]);
  });

  it("are told by a clear, after all else is removed", async () => {
    const found = await closed(`
      const { code, message } = await clearStore(folder).catch((error) => error);
      open();
      console.log(JSON.stringify([code, /and 1 more could not be removed/.test(message), areThere(), isThere()]));
    `);
    expect(found).toEqual([
      "CAS_STORE_UNAVAILABLE",
      true,
      [false, false, true],
      [true, false, false, false],
    ]);
  });
});
