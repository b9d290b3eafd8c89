import { createFileIndex, type FileIndex, hashText } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { listTree } from "../test/tree.ts";
import { makeWorkspace, type Workspace } from "../test/workspace.ts";
import type { BlobStore } from "./blob-store.ts";
import type { OutputEntry } from "./output-entry.ts";
import { restoreOutputs, type RestoreOptions } from "./restore-outputs.ts";
import type { RestoreResult } from "./restore-result.ts";
import type { SwapResult } from "./swap-outputs.ts";

/** What no real file system does on demand: taking back fails, too. */
const swap = vi.hoisted(() => ({ result: undefined as SwapResult | undefined }));
vi.mock(import("./swap-outputs.ts"), async (original) => {
  const real = await original();
  return { swapOutputs: (options) => swap.result ?? real.swapOutputs(options) };
});

let space: Workspace;
let index: FileIndex;
beforeEach(() => {
  space = makeWorkspace();
  swap.result = undefined;
});
afterEach(() => space.cleanUp());

const at = (path: string): string => `${space.root}/${path}`;
const folder = (path: string): OutputEntry => ({ kind: "directory", path });
const fileOf = (path: string, content: string): OutputEntry => ({
  kind: "file",
  path,
  digest: hashText("sha256", content),
  executable: false,
});

async function restore(
  outputs: readonly string[],
  entries: readonly OutputEntry[],
  options: Partial<RestoreOptions> = {},
): Promise<RestoreResult> {
  for (const entry of entries)
    if (entry.kind === "file") await space.store.ingest(Buffer.from(`content of ${entry.path}`));
  return restoreOutputs({
    index,
    projectDirectory: "",
    outputs,
    entries,
    store: space.store,
    ...options,
  });
}
const stored = (path: string): OutputEntry => fileOf(path, `content of ${path}`);

describe("what the index knows after a restore", () => {
  beforeEach(() => {
    index = createFileIndex({ root: space.root, digestFunction: "sha256", stateFile: undefined });
  });

  it("are the new files, without a look at their bytes, and every folder that changed", async () => {
    space.write("other/kept", "kept");
    space.write("dist/old/deep/x", "stale");
    index.list("");
    index.list("dist");
    index.list("dist/old");
    for (const path of ["dist/old/deep/x", "new/sub", "new/sub/a"]) index.stat(path);
    const entries = [folder("dist"), stored("dist/b"), stored("new/sub/a")];
    expect(await restore(["dist", "new/sub/a"], entries)).toMatchObject({ kind: "restored" });
    writeFileSync(at("dist/b"), "CONTENT of dist/b");
    writeFileSync(at("new/sub/a"), "CONTENT of new/sub/a");
    for (const path of ["dist/b", "new/sub/a"])
      expect(index.digest(path)).toEqual(hashText("sha256", `content of ${path}`));
    const names = (path: string): string[] => index.list(path).map(({ name }) => name);
    expect([names(""), names("dist"), names("new")]).toEqual([
      ["dist", "new", "other"],
      ["b"],
      ["sub"],
    ]);
    for (const path of ["dist/old", "dist/old/deep/x"]) expect(index.stat(path)).toBeUndefined();
    expect(index.stat("new/sub")?.kind).toBe("directory");
  });

  it("are links and folders as they are", async () => {
    index.stat("dist/link");
    const entries: OutputEntry[] = [
      folder("dist"),
      { kind: "symlink", path: "dist/link", target: "x" },
    ];
    expect(await restore(["dist"], entries)).toMatchObject({ kind: "restored", restoredFiles: 0 });
    expect(index.readLink("dist/link")).toBe("x");
    expect(index.stat("dist/link")?.kind).toBe("symlink");
  });

  it("is nothing of files that were not put in place", async () => {
    space.write("dist/b", "CONTENT of dist/b");
    swap.result = { kind: "failed", cause: new Error("full"), undone: true };
    const result = await restore(["dist"], [folder("dist"), stored("dist/b")]);
    expect(result).toMatchObject({ kind: "miss", reason: "failed", workspaceChanged: false });
    expect(index.digest("dist/b")).toEqual(hashText("sha256", "CONTENT of dist/b"));
  });
});

describe("a restore that is stuck half-way", () => {
  beforeEach(() => {
    index = createFileIndex({ root: space.root, digestFunction: "sha256", stateFile: undefined });
    swap.result = { kind: "failed", cause: new Error("stuck"), undone: false };
  });

  it("removes the outputs, and nothing else: no mixture is taken for a result", async () => {
    for (const path of [
      "dist/a",
      "dist/keep/x",
      "gen/mine.ts",
      "gen/a.out",
      "top.tgz",
      "other.tgz",
      "src/a.ts",
    ])
      space.write(path, "old");
    symlinkSync("a.ts", at("src/link"));
    for (const path of ["dist/a", "gen/a.out", "top.tgz"]) index.digest(path);
    const outputs = ["dist", "!dist/keep/**", "gen/*.out", "*.tgz"];
    const entries = [folder("dist"), stored("dist/b"), stored("gen/a.out"), stored("top.tgz")];
    const result = await restore(outputs, entries);
    expect(result).toEqual({
      kind: "miss",
      reason: "failed",
      detail: "stuck",
      cause: expect.any(Error) as Error,
      workspaceChanged: true,
    });
    expect(Object.keys(listTree(space.root))).toEqual([
      "dist",
      "dist/keep",
      "dist/keep/x",
      "gen",
      "gen/mine.ts",
      "other.tgz",
      "src",
      "src/a.ts",
      "src/link",
    ]);
    for (const path of ["dist/a", "gen/a.out", "top.tgz"]) expect(index.stat(path)).toBeUndefined();
  });

  it("leaves nothing staged behind", async () => {
    space.write("dist/a", "old");
    await restore(["dist"], [folder("dist"), stored("dist/b")]);
    expect(readdirSync(space.root).filter((name) => name.startsWith("."))).toEqual([]);
  });
});

describe("why a restore is a miss", () => {
  beforeEach(() => {
    index = createFileIndex({ root: space.root, digestFunction: "sha256", stateFile: undefined });
  });

  it.each([
    ["CAS_BLOB_NOT_FOUND", "incomplete"],
    ["CAS_BLOB_CORRUPT", "corrupt"],
    ["CAS_STORE_UNAVAILABLE", "unavailable"],
    ["CAS_RANGE_INVALID", "failed"],
  ] as const)("%s: %s", async (code, reason) => {
    const store: BlobStore = {
      ...space.store,
      readSync: () => {
        throw new CuenvError(code, "cannot read: for a test");
      },
    };
    const result = await restore(["a"], [stored("a")], { store });
    expect(result).toMatchObject({ reason, detail: "cannot read: for a test" });
    expect(result).toMatchObject({ workspaceChanged: false });
    expect(existsSync(at("a"))).toBe(false);
  });

  it("there is no place to stage in: failed, and nothing changed", async () => {
    space.write("a", "old");
    const before = listTree(space.root);
    const gone = `${space.root}/../gone`;
    index = createFileIndex({ root: gone, digestFunction: "sha256", stateFile: undefined });
    const result = await restore(["a"], [stored("a")]);
    expect(result).toMatchObject({ kind: "miss", reason: "failed", cause: { code: "ENOENT" } });
    expect(listTree(space.root)).toEqual(before);
  });

  it("the outputs are no patterns: invalid", async () => {
    for (const outputs of [["../outside"], ["a\0b"], [""]])
      expect(await restore(outputs, [])).toMatchObject({ kind: "miss", reason: "invalid" });
  });
});

describe("a restore with nothing to do", () => {
  it("asks for no place to stage in, and writes nothing", async () => {
    index = createFileIndex({ root: space.root, digestFunction: "sha256", stateFile: undefined });
    space.write("dist/a", "content of dist/a");
    mkdirSync(at("dist/empty"));
    utimesSync(at("dist"), 1, 1);
    let asked = 0;
    const temporaryDirectory = (): undefined => void (asked += 1);
    const entries = [folder("dist"), stored("dist/a"), folder("dist/empty")];
    expect(await restore(["dist"], entries, { temporaryDirectory })).toEqual({
      kind: "restored",
      restoredFiles: 0,
      restoredBytes: 0,
      removedPaths: 0,
      unchangedFiles: 1,
      wasInPlace: true,
    });
    expect(asked).toBe(0);
    expect(await restore(["dist"], [...entries, stored("dist/b")], { temporaryDirectory })).toEqual(
      expect.objectContaining({ kind: "restored", restoredFiles: 1 }),
    );
    expect(asked).toBe(1);
  });
});

describe("what a declared output is", () => {
  beforeEach(() => {
    index = createFileIndex({ root: space.root, digestFunction: "sha256", stateFile: undefined });
  });
  const globs = ["gen/**/*.ts", "*.tgz", "!gen/private/**"];

  it.each<[string, OutputEntry[]]>([
    ["a match", [stored("gen/sub/a.ts")]],
    ["the folder that a glob begins in", [folder("gen")]],
    ["a folder on the way to a match", [folder("gen"), folder("gen/sub"), stored("gen/sub/a.ts")]],
    ["a match of a glob at the top", [stored("a.tgz")]],
    ["a folder, where a glob begins at the top", [folder("elsewhere")]],
  ])("%s is one", async (_, entries) => {
    expect(await restore(globs, entries)).toMatchObject({ kind: "restored" });
  });

  it.each<[string, OutputEntry[], (readonly string[])?]>([
    ["a file beside the matches", [stored("gen/a.js")]],
    ["a link beside the matches", [{ kind: "symlink", path: "gen/link", target: "x" }]],
    ["an exception", [stored("gen/private/a.ts")]],
    ["a folder that an exception covers", [folder("gen/private/sub")]],
    ["a folder beside a glob's", [folder("general")], ["gen/**/*.ts"]],
    ["a folder in no glob's", [folder("src")], ["gen/**/*.ts"]],
    ["a folder beside a plain output", [folder("src")], ["dist"]],
    ["a folder above a plain output", [folder("a")], ["a/dist"]],
  ])("%s is none: a miss that names it", async (_, entries, outputs = globs) => {
    const result = await restore(outputs, entries);
    expect(result).toMatchObject({ kind: "miss", reason: "invalid", workspaceChanged: false });
    expect(result.kind === "miss" && result.detail).toBe(
      `cannot restore ${JSON.stringify(entries[0]?.path)}: it is none of the declared outputs`,
    );
    expect(readdirSync(space.root)).toEqual([]);
  });

  it("one below a link that the result does not replace is a miss", async () => {
    mkdirSync(`${space.root}/../outside`);
    mkdirSync(at("dist"));
    symlinkSync("../../outside", at("dist/sub"));
    const entries = [folder("dist"), stored("dist/sub/x")];
    expect(await restore(["dist"], entries)).toMatchObject({ kind: "miss", reason: "failed" });
    const named = [folder("dist"), folder("dist/sub"), stored("dist/sub/x")];
    expect(await restore(["dist"], named)).toMatchObject({ kind: "restored" });
    expect(readdirSync(`${space.root}/../outside`)).toEqual([]);
  });
});
