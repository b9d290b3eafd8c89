import {
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileIndex, hashText } from "@cuenv/digest";
import type { InputNode } from "@cuenv/key";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRewrittenInputs } from "./rewritten-inputs.ts";

let root: string;
let memo: string;
let clock: number;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cuenv-rewritten-"));
  memo = join(root, "memo/rewritten-inputs.json");
  clock = 1_000_000;
  for (const name of ["a", "b", "c"]) writeFileSync(join(root, name), "same");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const fileNode = (path: string): InputNode => ({
  kind: "file",
  path,
  digest: hashText("sha256", "same"),
  executable: false,
});
let nodes: readonly InputNode[] = ["a", "b", "c"].map(fileNode);

/** A run of a task, in a process of its own, during which these files are written. */
function run(written: readonly string[], path: string | null = memo): string | undefined {
  const index = createFileIndex({ root, digestFunction: "sha256", stateFile: undefined });
  const inputs = createRewrittenInputs(path ?? undefined, index);
  const before = inputs.versions(nodes);
  for (const name of written) {
    writeFileSync(join(root, name), "same");
    clock += 1;
    utimesSync(join(root, name), clock, clock);
  }
  index.invalidate("");
  return inputs.unexpected("task", before);
}

describe("inputs that were written and are what they were", () => {
  it("are told, until two runs one after the other have written just the same ones", () => {
    expect(run(["b", "a"])).toBe("a");
    expect(run(["a", "b"])).toBeUndefined();
    expect(run(["a", "b"])).toBeUndefined();
    expect(run(["a", "b", "c"])).toBe("a");
    expect(run(["a"])).toBe("a");
    expect(run(["a"])).toBeUndefined();
  });

  it("are told again after a run that wrote none", () => {
    run(["a"]);
    expect(run([])).toBeUndefined();
    expect(run(["a"])).toBe("a");
  });

  it("leave no file while there are none", () => {
    expect(run([])).toBeUndefined();
    expect(existsSync(memo)).toBe(false);
  });

  it("are told each time where nothing is remembered, or it cannot be read", () => {
    expect([run(["a"], null), run(["a"], null)]).toEqual(["a", "a"]);
    for (const text of ["nonsense", "null", "[]", '{"task":"a"}', '{"task":[1]}']) {
      run(["a"]);
      writeFileSync(memo, text);
      expect(run(["a"]), text).toBe("a");
    }
  });

  it("are stored from the second run on, however many they are", () => {
    const many = Array.from({ length: 1000 }, (_, index) => `generated-${index}`);
    for (const name of many) writeFileSync(join(root, name), "same");
    const before = [...nodes];
    nodes = [...nodes, ...many.map(fileNode)];
    expect(run(many)).toBe("generated-0");
    expect(run(many)).toBeUndefined();
    expect(run(many.slice(1))).toBe("generated-1");
    nodes = before;
  });

  it("may be links, which led elsewhere for a while", () => {
    const link = join(root, "link");
    symlinkSync("a", link);
    const index = createFileIndex({ root, digestFunction: "sha256", stateFile: undefined });
    const inputs = createRewrittenInputs(memo, index);
    const before = inputs.versions([{ kind: "symlink", path: "link", target: "a" }]);
    for (const target of ["b", "a"]) {
      symlinkSync(target, `${link}.new`);
      renameSync(`${link}.new`, link);
    }
    index.invalidate("");
    expect(inputs.unexpected("task", before)).toBe("link");
  });
});
