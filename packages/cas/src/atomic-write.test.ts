import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runModule, sourceUrl } from "../test/other-process.ts";
import { makeFolder } from "../test/workspace.ts";

let base: string;
beforeEach(() => {
  base = makeFolder();
  mkdirSync(`${base}/tmp`);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

/** Renames into a deep folder as often as it can until the file `stop` is there, and says how often that was. */
const renames = `
  import { existsSync, writeFileSync } from "node:fs";
  import { renameInto } from "${sourceUrl}/atomic-write.ts";
  const base = process.env.BASE;
  writeFileSync(base + "/ready", "");
  let count = 0;
  for (; !existsSync(base + "/stop"); count += 1) {
    writeFileSync(base + "/tmp/file", "");
    renameInto(base + "/tmp/file", base + "/a/b/c/d/" + (count % 10));
  }
  console.log(count);
`;

/** Removes the folders from the deepest to the first, as `clear` does with those that are empty, 200 times a second at most. */
const removes = `
  import { existsSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
  const base = process.env.BASE;
  const quietly = (step) => { try { step(); return 1; } catch { return 0; } };
  let count = 0;
  while (!existsSync(base + "/ready"));
  for (const end = Date.now() + 2000; Date.now() < end;) {
    for (let name = 0; name < 10; name += 1) quietly(() => unlinkSync(base + "/a/b/c/d/" + name));
    for (const folder of ["a/b/c/d", "a/b/c", "a/b", "a"]) count += quietly(() => rmdirSync(base + "/" + folder));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  }
  console.log(count);
`;

it("renames into folders that somebody else removes while they are made", async () => {
  const environment = { BASE: base };
  const renaming = runModule(renames, { environment });
  const removing = await runModule(removes, { environment });
  writeFileSync(`${base}/stop`, "");
  const renamed = await renaming;
  expect([renamed.code, renamed.stderr]).toEqual([0, ""]);
  expect(Number(renamed.stdout)).toBeGreaterThan(50);
  expect(Number(removing.stdout)).toBeGreaterThan(50);
});
