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

function opened(path: string | null = memo) {
  const index = createFileIndex({ root, digestFunction: "sha256", stateFile: undefined });
  const inputs = createRewrittenInputs(path ?? undefined, index);
  const write = (names: readonly string[]): void => {
    for (const name of names) {
      writeFileSync(join(root, name), "same");
      clock += 1;
      utimesSync(join(root, name), clock, clock);
    }
    index.invalidate("");
  };
  return { inputs, write };
}

/** A run of a task, in a process of its own, during which these files are written. */
function run(written: readonly string[], path: string | null = memo): string | undefined {
  const { inputs, write } = opened(path);
  const before = inputs.versions(nodes);
  write(written);
  const found = inputs.unexpected("task", before);
  inputs.save();
  return found;
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

  it("of a task that ran without writing them are told four times more: somebody may have gone back and forth twice", () => {
    expect(run([])).toBeUndefined();
    for (let times = 0; times < 4; times += 1) expect(run(["a"]), `${times}`).toBe("a");
    expect(run(["a"])).toBeUndefined();
    expect(run(["a"])).toBeUndefined();
    expect(run(["b"])).toBe("b");
    expect(run([])).toBeUndefined();
    expect(run(["a"])).toBe("a");
  });

  it("of several runs of one process count, each", () => {
    const { inputs, write } = opened();
    const told = ["a", "a", "b"].map((name) => {
      const before = inputs.versions(nodes);
      write([name]);
      return inputs.unexpected("task", before);
    });
    expect(told).toEqual(["a", undefined, "b"]);
  });

  it("leave no file where there are no inputs, nor where nothing is saved", () => {
    const { inputs, write } = opened();
    expect(inputs.unexpected("task", inputs.versions([]))).toBeUndefined();
    inputs.save();
    const before = inputs.versions(nodes);
    write(["a"]);
    expect(inputs.unexpected("task", before)).toBe("a");
    expect(existsSync(memo)).toBe(false);
  });

  it("are told each time where nothing is remembered, or it cannot be read", () => {
    expect([run(["a"], null), run(["a"], null)]).toEqual(["a", "a"]);
    for (const text of [
      "nonsense",
      "null",
      "[]",
      '{"task":"a"}',
      '{"task":["a",1]}',
      '{"task":["a","1",0]}',
    ]) {
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
