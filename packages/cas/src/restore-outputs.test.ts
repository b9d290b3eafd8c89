import { type Digest, hashText } from "@cuenv/digest";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canBeNobody, runModule, sourceUrl } from "../test/other-process.ts";
import { listTree } from "../test/tree.ts";
import { makeWorkspace, type Workspace } from "../test/workspace.ts";
import type { BlobStore } from "./blob-store.ts";
import { blobPath } from "./disk-layout.ts";
import type { OutputEntry } from "./output-entry.ts";
import { restoreOutputs } from "./restore-outputs.ts";

let space: Workspace;
beforeEach(() => {
  space = makeWorkspace();
});
afterEach(() => space.cleanUp());

const at = (path: string): string => `${space.root}/${path}`;
const blobOf = (digest: Digest): string => blobPath(space.folder.root, "sha256", digest.hash);

async function captured(outputs: readonly string[], project = ""): Promise<readonly OutputEntry[]> {
  const { entries, problems } = await space.capture(project, outputs);
  expect(problems).toEqual([]);
  return entries;
}

/** Gives nothing before so many asked: all of them have planned by then what they change. */
function readTogether(store: BlobStore, readers: number): BlobStore {
  const slow: { -readonly [Name in keyof BlobStore]: BlobStore[Name] } = { ...store };
  delete slow.readSync;
  let asked = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  slow.read = async function* read(...question) {
    asked += 1;
    if (asked === readers) resolve();
    await promise;
    yield* store.read(...question);
  };
  return slow;
}

describe("row 45: restored outputs", () => {
  it("have their bytes, exec bits, links and empty folders again; stale files inside them go, nothing outside does", async () => {
    space.write("app/dist/a.js", "a");
    space.write("app/dist/sub/tool", "#!/bin/sh\n", 0o755);
    space.write("app/dist/ünï/日本.txt", "x");
    mkdirSync(at("app/dist/empty"));
    symlinkSync("../a.js", at("app/dist/sub/link"));
    symlinkSync("nowhere/yet", at("app/dist/dangling"));
    const entries = await captured(["dist"], "app");
    const tree = listTree(at("app/dist"));
    rmSync(at("app/dist"), { recursive: true });
    space.write("app/dist/stale.js", "old");
    space.write("app/dist/old/deep/stale.js", "old");
    space.write("app/dist-other/x", "kept");
    space.write("app/src/a.ts", "kept");
    expect(await space.restore("app", ["dist"], entries)).toEqual({
      kind: "restored",
      restoredFiles: 3,
      restoredBytes: 12,
      removedPaths: 2,
      unchangedFiles: 0,
      wasInPlace: false,
      marks: new Map(),
    });
    expect(listTree(at("app/dist"))).toEqual(tree);
    expect(statSync(at("app/dist/sub/tool")).mode & 0o777).toBe(0o777 & ~process.umask());
    expect(statSync(at("app/dist/a.js")).mode & 0o777).toBe(0o666 & ~process.umask());
    expect(readlinkSync(at("app/dist/sub/link"))).toBe("../a.js");
    expect(existsSync(at("app/dist-other/x")) && existsSync(at("app/src/a.ts"))).toBe(true);
    expect(readdirSync(space.root)).toEqual(["app"]);
  });

  it("are left alone when they are right already", async () => {
    space.write("dist/a", "a");
    mkdirSync(at("dist/b"));
    const entries = await captured(["dist"]);
    const before = lstatSync(at("dist/a"));
    const folder = lstatSync(at("dist"));
    expect(await space.restore("", ["dist"], entries)).toMatchObject({
      restoredFiles: 0,
      unchangedFiles: 1,
    });
    expect(lstatSync(at("dist/a"))).toEqual(before);
    expect(lstatSync(at("dist")).ctimeMs).toBe(folder.ctimeMs);
    expect(existsSync(`${space.folder.root}/v1/tmp`)).toBe(true);
  });

  it("are repaired one by one: a change, a lost exec bit, a file for a folder and a folder for a file", async () => {
    for (const name of ["changed", "kept", "file"]) space.write(`dist/${name}`, name);
    space.write("dist/tool", "tool", 0o755);
    space.write("dist/folder/x", "x");
    symlinkSync("kept", at("dist/link"));
    const entries = await captured(["dist"]);
    const tree = listTree(at("dist"));
    const kept = lstatSync(at("dist/kept")).ino;
    space.write("dist/changed", "CHANGED");
    chmodSync(at("dist/tool"), 0o644);
    rmSync(at("dist/folder"), { recursive: true });
    space.write("dist/folder", "not a folder");
    rmSync(at("dist/file"));
    space.write("dist/file/in/the/way", "");
    rmSync(at("dist/link"));
    symlinkSync("file", at("dist/link"));
    expect(await space.restore("", ["dist"], entries)).toMatchObject({
      kind: "restored",
      restoredFiles: 4,
      unchangedFiles: 1,
    });
    expect(listTree(at("dist"))).toEqual(tree);
    expect(lstatSync(at("dist/kept")).ino).toBe(kept);
  });

  it("are known to the index, so that the next look needs no disk", async () => {
    space.write("dist/a", "a");
    const entries = await captured(["dist"]);
    rmSync(at("dist"), { recursive: true });
    await space.restore("", ["dist"], entries);
    const { index } = space;
    expect(index.digest("dist/a")).toEqual(hashText("sha256", "a"));
    expect(index.list("dist").map(({ name }) => name)).toEqual(["a"]);
    expect(index.list("").map(({ name }) => name)).toEqual(["dist"]);
  });

  it("are copies: writing to one does not change the store", async () => {
    space.write("dist/a", "original");
    const entries = await captured(["dist"]);
    rmSync(at("dist"), { recursive: true });
    await space.restore("", ["dist"], entries);
    writeFileSync(at("dist/a"), "scribble", { flag: "r+" });
    rmSync(at("dist"), { recursive: true });
    expect(await space.restore("", ["dist"], entries)).toMatchObject({ kind: "restored" });
    expect(readFileSync(at("dist/a"), "utf8")).toBe("original");
  });

  it("come also when the cache is on another file system, with nothing left behind", async () => {
    const elsewhere = mkdtempSync("/dev/shm/cuenv-cas-");
    const other = makeWorkspace({ root: `${elsewhere}/cache` });
    other.write("dist/sub/a", "a");
    const { entries } = await other.capture("", ["dist"]);
    rmSync(`${other.root}/dist`, { recursive: true });
    mkdirSync(`${other.root}/.cuenv-staging-00000000.1.1.1.0123456789abcdef`);
    expect(await other.restore("", ["dist"], entries)).toMatchObject({
      kind: "restored",
      restoredFiles: 1,
    });
    expect(readdirSync(other.root)).toEqual([
      ".cuenv-staging-00000000.1.1.1.0123456789abcdef",
      "dist",
    ]);
    other.cleanUp();
    rmSync(elsewhere, { recursive: true });
  });

  it("come at once with those of others into one folder that is not there, and all stay", async () => {
    const tasks = [["out/a.txt"], ["out/b-*.txt"], ["out/c", "!out/c/kept"], ["out/d/*.txt"]];
    const paths = ["out/a.txt", "out/b-1.txt", "out/b-2.txt", "out/c/x", "out/d/1.txt"];
    for (const path of paths) space.write(path, path);
    const entries = await Promise.all(tasks.map((outputs) => captured(outputs)));
    for (const order of [tasks, tasks.toReversed()]) {
      rmSync(at("out"), { recursive: true });
      space.index.invalidate("");
      const store = readTogether(space.store, tasks.length);
      const restores = order.map((outputs) =>
        restoreOutputs({
          index: space.index,
          projectDirectory: "",
          outputs,
          entries: entries[tasks.indexOf(outputs)] ?? [],
          store,
        }),
      );
      const results = await Promise.all(restores);
      expect(results.map(({ kind }) => kind)).toEqual(Array(4).fill("restored"));
      expect(paths.filter((path) => !existsSync(at(path)))).toEqual([]);
    }
  });

  it("C9: of any tree are that tree", async () => {
    const name = fc.oneof(
      fc.constantFrom("a", "b", "Ä", "日本", "with space", ".dot", "x-y", "-", "~", "#", "☃"),
      fc
        .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
        .filter(
          (text) =>
            /^[^/\\\0.:][^/\\\0]*$/.test(text) && text.isWellFormed() && !text.includes("\u{fffd}"),
        ),
    );
    const node = fc.letrec<{ tree: Node }>((tie) => ({
      tree: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.record({
          kind: fc.constant("file" as const),
          bytes: fc.uint8Array({ maxLength: 3000 }),
          executable: fc.boolean(),
        }),
        fc.record({ kind: fc.constant("link" as const), target: name }),
        fc.record({
          kind: fc.constant("folder" as const),
          nodes: fc.dictionary(name, tie("tree"), { maxKeys: 5, noNullPrototype: true }),
        }),
      ),
    })).tree;
    const trees = fc.dictionary(name, node, { maxKeys: 5 });
    let stored = 0;
    await fc.assert(
      fc.asyncProperty(trees, trees, async (tree, other) => {
        rmSync(at("out"), { recursive: true, force: true });
        makeTree(at("out"), { kind: "folder", nodes: tree });
        const { entries, problems } = await space.capture("", ["out"]);
        fc.pre(
          problems.every(({ message }) => message.includes("some file systems")) &&
            problems.length === 0,
        );
        stored += 1;
        const wanted = listTree(at("out"));
        rmSync(at("out"), { recursive: true });
        makeTree(at("out"), { kind: "folder", nodes: other });
        expect(await space.restore("", ["out"], entries)).toMatchObject({ kind: "restored" });
        expect(listTree(at("out"))).toEqual(wanted);
        expect(readdirSync(space.root)).toEqual(["out"]);
      }),
      { numRuns: 70 },
    );
    expect(stored).toBeGreaterThan(35);
  });
});

type Node =
  | { kind: "file"; bytes: Uint8Array; executable: boolean }
  | { kind: "link"; target: string }
  | { kind: "folder"; nodes: Record<string, Node> };

function makeTree(path: string, node: Node): void {
  if (node.kind === "file")
    writeFileSync(path, node.bytes, { mode: node.executable ? 0o755 : 0o644 });
  else if (node.kind === "link") symlinkSync(node.target, path);
  else {
    mkdirSync(path);
    for (const [name, child] of Object.entries(node.nodes)) makeTree(`${path}/${name}`, child);
  }
}

describe("what is stale", () => {
  it("goes only where it is an output, and exceptions stay", async () => {
    space.write("dist/a.js", "a");
    const outputs = ["dist", "!dist/cache/**", "!dist/**/*.keep"];
    const entries = await captured(outputs);
    space.write("dist/cache/big", "kept");
    space.write("dist/old/x.keep", "kept");
    space.write("dist/old/y.js", "stale");
    space.write("dist/gone/z.js", "stale");
    expect(await space.restore("", outputs, entries)).toMatchObject({
      kind: "restored",
      removedPaths: 2,
    });
    expect(Object.keys(listTree(space.root))).toEqual([
      "dist",
      "dist/a.js",
      "dist/cache",
      "dist/cache/big",
      "dist/old",
      "dist/old/x.keep",
    ]);
  });

  it("goes from a folder that a glob begins with, and only what matches", async () => {
    space.write("gen/a.pb.ts", "a");
    const entries = await captured(["gen/**/*.pb.ts"]);
    space.write("gen/b.pb.ts", "stale");
    space.write("gen/sub/c.pb.ts", "stale");
    space.write("gen/hand-written.ts", "kept");
    await space.restore("", ["gen/**/*.pb.ts"], entries);
    expect(Object.keys(listTree(space.root))).toEqual([
      "gen",
      "gen/a.pb.ts",
      "gen/hand-written.ts",
      "gen/sub",
    ]);
  });

  it("stays where a glob begins in the project's own folder, whose sources could match", async () => {
    space.write("app/pkg-1.tgz", "1");
    space.write("app/src/a.js", "output");
    const entries = await captured(["*.tgz", "**/*.js"], "app");
    space.write("app/pkg-2.tgz", "2");
    space.write("app/src/new-source.js", "precious");
    expect(await space.restore("app", ["*.tgz", "**/*.js"], entries)).toMatchObject({
      kind: "restored",
      removedPaths: 0,
    });
    expect(readFileSync(at("app/src/new-source.js"), "utf8")).toBe("precious");
  });

  it("goes when the result has none of a declared output", async () => {
    space.write("dist/x", "x");
    expect(await space.restore("", ["dist"], [])).toMatchObject({
      kind: "restored",
      removedPaths: 1,
    });
    expect(readdirSync(space.root)).toEqual([]);
  });
});

describe("a restore that cannot be done", () => {
  const state = async (): Promise<{ entries: readonly OutputEntry[]; before: unknown }> => {
    space.write("dist/a", "new a");
    space.write("dist/b", "new b");
    const entries = await captured(["dist"]);
    rmSync(at("dist"), { recursive: true });
    space.write("dist/a", "old a");
    space.write("dist/stale", "old");
    return { entries, before: listTree(space.root) };
  };

  it.each([
    ["is gone", "incomplete", (path: string) => unlinkSync(path)],
    ["is damaged", "corrupt", (path: string) => writeFileSync(path, "new B")],
    ["is cut short", "corrupt", (path: string) => writeFileSync(path, "new")],
  ])("because a blob %s, is a miss that changes nothing (%s)", async (_, reason, harm) => {
    const { entries, before } = await state();
    harm(blobOf(hashText("sha256", "new b")));
    const result = await space.restore("", ["dist"], entries);
    expect(result).toMatchObject({ kind: "miss", reason, workspaceChanged: false });
    expect(listTree(space.root)).toEqual(before);
    const temporary = `${space.folder.root}/v1/tmp`;
    expect(readdirSync(temporary).flatMap((name) => readdirSync(`${temporary}/${name}`))).toEqual(
      [],
    );
  });

  it("because of a large blob, is the same", async () => {
    space.write("dist/large", Buffer.alloc(5_000_000, "large"));
    const entries = await captured(["dist"]);
    const [, file] = entries;
    writeFileSync(blobOf(file?.kind === "file" ? file.digest : hashText("sha256", "")), "0", {
      flag: "r+",
    });
    rmSync(at("dist"), { recursive: true });
    expect(await space.restore("", ["dist"], entries)).toMatchObject({
      kind: "miss",
      reason: "corrupt",
    });
    expect(readdirSync(space.root)).toEqual([]);
  });

  it("because it was called off, says so and changes nothing", async () => {
    const { entries, before } = await state();
    space.index.invalidate("");
    const { index, store } = space;
    const controller = new AbortController();
    const options = {
      index,
      store,
      entries,
      projectDirectory: "",
      outputs: ["dist"],
      signal: controller.signal,
    };
    const temporaryDirectory = (): undefined => {
      controller.abort(new Error("called off"));
    };
    await expect(restoreOutputs({ ...options, temporaryDirectory })).rejects.toThrow("called off");
    expect(listTree(space.root)).toEqual(before);
  });

  it.runIf(canBeNobody)(
    "because the workspace cannot be written, changes nothing (EACCES)",
    async () => {
      const program = `
      import { makeWorkspace } from "${sourceUrl.replace("/src", "/test/workspace.ts")}";
      import { listTree } from "${sourceUrl.replace("/src", "/test/tree.ts")}";
      import { chmodSync, rmSync } from "node:fs";
      const space = makeWorkspace();
      for (const path of ["a/out/x", "b/out/y"]) space.write(path, "new");
      const { entries } = await space.capture("", ["a/out", "b/out"]);
      for (const path of ["a/out/x", "b/out/y"]) space.write(path, "old");
      rmSync(space.root + "/b/out", { recursive: true });
      const before = JSON.stringify(listTree(space.root));
      chmodSync(space.root + "/b", 0o555);
      const result = await space.restore("", ["a/out", "b/out"], entries);
      chmodSync(space.root + "/b", 0o755);
      console.log(result.kind, result.reason, result.workspaceChanged, JSON.stringify(listTree(space.root)) === before);
      space.cleanUp();
    `;
      const ended = await runModule(program, { asNobody: true });
      expect(ended.stderr).toBe("");
      expect(ended.stdout).toBe("miss failed false true\n");
    },
  );
});
