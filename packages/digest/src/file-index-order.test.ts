import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createFileIndex, type FileIndex } from "./index.ts";

/** Characters around "/", prefixes of each other, and such as sort otherwise by UTF-16 units than by code points. */
const names = ["a", "a-", "a.b", "a0", "a!", "b", "\u{1F600}", "\uFF5E", "é"];
const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 });

/** Files by path; none is in the place of another one's folder, because they all end with "f". */
const files = fc
  .uniqueArray(path, { minLength: 1, maxLength: 12, selector: (parts) => parts.join("/") })
  .map((all) => all.map((parts) => `${parts.join("/")}f`));

it("finds what was recorded, in whatever order it is asked for, and forgets a folder and nothing beside it", () => {
  fc.assert(
    fc.property(files, fc.infiniteStream(fc.nat()), (paths, numbers) => {
      const root = mkdtempSync(join(tmpdir(), "cuenv-order-"));
      const stateFile = join(root, ".state");
      const write = (each: string, text: string): void => {
        mkdirSync(join(root, dirname(each)), { recursive: true });
        writeFileSync(join(root, each), text);
        // Old enough to be recorded.
        utimesSync(join(root, each), 1, 1);
      };
      const open = (): FileIndex =>
        createFileIndex({
          root,
          digestFunction: "sha256",
          stateFile,
          now: () => Date.now() + 60_000,
        });
      const any = (): string => paths[(numbers.next().value ?? 0) % paths.length] ?? "";
      try {
        for (const each of paths) write(each, `${each} before`);
        // In two parts: the second is put among the first.
        for (const part of [paths.slice(0, paths.length >> 1), paths]) {
          const index = open();
          for (const each of part) index.digest(each);
          index.save();
        }
        const index = open();
        const before = new Map(
          Array.from({ length: 30 }, any).map((each) => [each, index.digest(each)]),
        );
        const fresh = createFileIndex({ root, digestFunction: "sha256", stateFile: undefined });
        for (const [each, digest] of before) expect(digest).toEqual(fresh.digest(each));
        const folder = dirname(any());
        for (const each of paths) write(each, `${each} after it`);
        if (folder === ".") return;
        index.invalidate(folder);
        for (const [each, digest] of before) {
          const isBelow = each.startsWith(`${folder}/`);
          expect([each, index.digest(each).hash === digest.hash]).toEqual([each, !isBelow]);
        }
      } finally {
        rmSync(root, { recursive: true });
      }
    }),
    { numRuns: 150 },
  );
});
