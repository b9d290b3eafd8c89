import {
  captureOutputs,
  createMemoryBlobStore,
  type OutputEntry,
  restoreChanges,
  restoreOutputs,
} from "@cuenv/cas";
import { createFileIndex, type FileIndex } from "@cuenv/digest";
import * as fc from "fast-check";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { indexAfterRestores } from "./index-after-restores.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "cuenv-after-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const store = createMemoryBlobStore({ digestFunction: "sha256", maxBytes: 2 ** 20 });
const newIndex = (): FileIndex =>
  createFileIndex({ root, digestFunction: "sha256", stateFile: undefined });
const projectDirectory = "";

type Made = "file" | "program" | "link" | "folder";

/** What was made before wins: a file where a folder would have to be leaves that out. */
function make(tree: readonly (readonly [string, Made, string])[]): void {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
  for (const [path, kind, text] of tree) {
    const file = join(root, path);
    try {
      mkdirSync(dirname(file), { recursive: true });
      if (kind === "folder") mkdirSync(file);
      else if (kind === "link") symlinkSync(`to-${text}`, file);
      else writeFileSync(file, text, { flag: "wx" });
      if (kind === "program") chmodSync(file, 0o755);
    } catch {
      continue;
    }
  }
}

/** What an index says of each path, whether a walk comes by or not. */
function kindsOf(index: FileIndex, paths: readonly string[]): unknown[] {
  return paths.map((path) => [path, index.stat(path)?.kind]);
}

/** Everything that an index says below the root. */
function seen(index: FileIndex, folder = ""): unknown[] {
  const hashes = [index.listHash(folder), index.listHash(folder, ["a"])];
  const below = index.list(folder).flatMap(({ name, kind }) => {
    const path = folder === "" ? name : `${folder}/${name}`;
    const stat = index.stat(path);
    const told = { path, kind, is: stat?.kind, bytes: kind === "file" && stat?.sizeBytes };
    if (kind === "file") return [{ ...told, x: stat?.executable, digest: index.digest(path) }];
    if (kind === "symlink") return [{ ...told, to: index.readLink(path) }];
    return [told, ...seen(index, path)];
  });
  return [...hashes, ...below];
}

/** What the view says before a restore, and the disk after it; undefined where nothing can be restored. */
async function bothWays(
  outputs: readonly string[],
  entries: readonly OutputEntry[],
  paths: readonly string[] = [],
): Promise<{ readonly view: unknown; readonly disk: unknown } | undefined> {
  const index = newIndex();
  const planned = { index, projectDirectory, outputs, entries };
  const after = indexAfterRestores(index);
  const before = seen(after.index);
  expect([before, after.isEmpty()]).toEqual([seen(newIndex()), true]);
  after.add(await restoreChanges(planned));
  const view = [seen(after.index), kindsOf(after.index, paths)];
  const restored = await restoreOutputs({ ...planned, index: newIndex(), store });
  if (restored.kind !== "restored") return undefined;
  return { view, disk: [seen(newIndex()), kindsOf(newIndex(), paths)] };
}

const name = fc.constantFrom("a", "b", "out", "é");
const node = fc.tuple(
  fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/")),
  fc.constantFrom<Made>("file", "program", "link", "folder"),
  fc.constantFrom("1", "22"),
);
const tree = fc.array(node, { maxLength: 12 });
const patterns = fc.constantFrom(
  ["out"],
  ["a/b", "out/a"],
  ["a/*", "!a/b"],
  ["out/**", "b/out/a"],
  ["**/é"],
);

describe("the workspace as restores would leave it", () => {
  it("is what it is after the restore, whatever was there before", async () => {
    await fc.assert(
      fc.asyncProperty(patterns, tree, tree, async (outputs, result, now) => {
        make(result);
        const captured = await captureOutputs({
          index: newIndex(),
          projectDirectory,
          outputs,
          store,
        });
        fc.pre(captured.problems.length === 0);
        make(now);
        const paths = [...result, ...now].map(([path]) => path);
        const both = await bothWays(outputs, captured.entries, paths);
        // Below a file or a link that is no output nothing is restored.
        fc.pre(both !== undefined);
        expect(both.view).toEqual(both.disk);
      }),
      { numRuns: 200 },
    );
  });

  it("hides what lies behind a link that becomes a folder", async () => {
    make([
      ["out/sub/a", "file", "1"],
      ["other/b", "file", "22"],
    ]);
    const { entries } = await captureOutputs({
      index: newIndex(),
      projectDirectory,
      outputs: ["out"],
      store,
    });
    rmSync(join(root, "out/sub"), { recursive: true });
    symlinkSync("../other", join(root, "out/sub"));
    const both = await bothWays(["out"], entries);
    expect(both?.view).toEqual(both?.disk);
    expect(JSON.stringify(both?.view)).not.toContain("out/sub/b");
  });
});
