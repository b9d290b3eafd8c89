import { checksum, createFileIndex, type FileIndex, hashText, sealText } from "@cuenv/digest";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Files, temporaryWorkspace } from "../test/temporary-workspace.ts";
import { createConclusionMemo, type Evidence } from "./conclusion-memo.ts";
import { hashInputFiles } from "./hash-input-files.ts";
import { selectInputs } from "./select-inputs.ts";
import type { SelectionCheck, SelectionRequest } from "./selection.ts";

let seconds = 1_700_000_000.5;
/** No two with the same time, whatever the clock of the file system counts in. */
function age(path: string): void {
  seconds += 1;
  utimesSync(path, seconds, seconds);
}

/** Takes away what is at a path, and what is in its way: a file or a link in the place of a folder. */
function remove(root: string, path: string): void {
  const parts = path.split("/");
  for (const at of parts.keys()) {
    const place = join(root, ...parts.slice(0, at + 1));
    const stat = lstatSync(place, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (!stat.isDirectory()) {
      unlinkSync(place);
      return;
    }
    if (at === parts.length - 1) rmSync(place, { recursive: true });
  }
}

function put(root: string, path: string, text: string): void {
  remove(root, path);
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  age(join(root, path));
}

function isFile(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false; // below a file
  }
}

interface Place {
  readonly root: string;
  /** What the run before kept. */
  text: string | undefined;
}

function open(place: Place): {
  readonly index: FileIndex;
  readonly memo: ReturnType<typeof createConclusionMemo>;
} {
  const index = createFileIndex({
    root: place.root,
    digestFunction: "sha256",
    stateFile: `${place.root}.bin`,
    // Nothing is too young to be recorded.
    now: () => Date.now() + 60_000,
  });
  const read = (): string | undefined => place.text;
  return { index, memo: createConclusionMemo({ index, read, build: "test" }) };
}

/** What somebody would compute who knows nothing. */
function answerOf(
  index: FileIndex,
  patterns: readonly string[] | undefined,
): { readonly answer: string; readonly evidence: Evidence } {
  const request: SelectionRequest = {
    index,
    projectDirectory: "",
    patterns,
    excludeOutputs: [{ projectDirectory: "", patterns: ["out", "d/*.o"] }],
  };
  const selection = selectInputs(request);
  const nodes = hashInputFiles({ index, paths: selection.files });
  const files: Evidence["files"][number][] = [];
  const checks: SelectionCheck[] = [...selection.checks];
  for (const node of nodes) {
    const { path } = node;
    if (node.kind === "symlink") checks.push({ kind: "link", path, target: node.target });
    if (node.kind === "file")
      files.push({ path, hash: node.digest.hash, executable: node.executable });
  }
  return { answer: hashText("sha256", JSON.stringify(nodes)).hash, evidence: { files, checks } };
}

const questions: readonly (readonly string[] | undefined)[] = [
  undefined,
  ["d"],
  ["*.txt", "d/**"],
  ["a.txt", "gone"],
];

/** A run that asks everything; what it recalled, by question. */
function run(place: Place): readonly (string | undefined)[] {
  const { index, memo } = open(place);
  const recalled = questions.map((patterns, at) => {
    const known = memo.recall(`q${at}`);
    if (known !== undefined) return known;
    const { answer, evidence } = answerOf(index, patterns);
    memo.conclude(`q${at}`, answer, evidence);
    return undefined;
  });
  index.save();
  place.text = memo.serialize() ?? place.text;
  return recalled;
}

function rightAnswers({ root }: Place): readonly string[] {
  const index = createFileIndex({ root, digestFunction: "sha256", stateFile: undefined });
  return questions.map((patterns) => answerOf(index, patterns).answer);
}

const files: Files = { "a.txt": "a", "b.txt": "b", "d/c": "c", "d/deep/e": "e" };

function newPlace(): Place {
  return { root: temporaryWorkspace(files), text: undefined };
}

const anyPath = fc.constantFrom(
  "a.txt",
  "b.txt",
  "c.txt",
  "d",
  "d/c",
  "d/x.o",
  "d/deep/e",
  "d/deep/f",
  "out/x",
  "gone",
  ".gitignore",
  "d/.gitignore",
);
const anyText = fc.constantFrom("a", "b", "", "*.txt\n", "deep\n", "!e\n");
type Edit = (root: string) => void;
const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(anyPath, anyText).map(
    ([path, text]): Edit =>
      (root) =>
        put(root, path, text),
  ),
  anyPath.map(
    (path): Edit =>
      (root) =>
        remove(root, path),
  ),
  fc.tuple(anyPath, anyPath).map(([path, target]): Edit => (root) => {
    remove(root, path);
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(target, join(root, path));
  }),
  anyPath.map((path): Edit => (root) => {
    if (isFile(join(root, path))) chmodSync(join(root, path), 0o755);
  }),
  anyPath.map((path): Edit => (root) => {
    if (isFile(join(root, path))) age(join(root, path));
  }),
);

describe("createConclusionMemo", () => {
  it("recalls nothing but right answers, whatever was edited between runs", () => {
    fc.assert(
      fc.property(fc.array(fc.array(edits, { maxLength: 3 }), { maxLength: 6 }), (rounds) => {
        const place = newPlace();
        run(place);
        for (const round of rounds) {
          for (const edit of round) edit(place.root);
          const right = rightAnswers(place);
          const recalled = run(place).map((answer, at) => answer ?? right[at]);
          expect(recalled).toEqual(right);
          // Where nothing is edited everything is recalled.
          expect(run(place)).toEqual(right);
        }
      }),
      { numRuns: Number(process.env["CUENV_FUZZ_RUNS"] ?? 60) },
    );
  });

  it("recalls in a run what an edit in another folder does not concern", () => {
    const place = newPlace();
    run(place);
    put(place.root, "d/c", "other");
    const [all, folder, both, named] = run(place);
    expect([all, folder, both]).toEqual([undefined, undefined, undefined]);
    expect(named).toBe(rightAnswers(place)[3]);
  });

  it("recalls what came and went of outputs, whose names do not count", () => {
    const place = newPlace();
    const right = rightAnswers(place);
    run(place);
    put(place.root, "out/x", "made");
    run(place);
    expect(run(place)).toEqual(right);
    rmSync(join(place.root, "out"), { recursive: true });
    expect(run(place)).toEqual(right);
  });

  it("keeps nothing when nothing was concluded, and what it kept under the numbers of an index that was saved meanwhile", () => {
    const place = newPlace();
    run(place);
    const { index, memo } = open(place);
    expect(memo.recall("q0")).toBe(rightAnswers(place)[0]);
    index.save();
    expect(memo.serialize()).toBeUndefined();
    put(place.root, "0-first/x", "");
    const again = open(place);
    again.index.digest("0-first/x");
    again.index.save();
    const text = again.memo.serialize();
    expect(text).toBeDefined();
    expect(text).not.toBe(place.text);
    place.text = text;
    expect(open(place).memo.recall("q1")).toBe(rightAnswers(place)[1]);
  });

  it("is nothing beside another index, to another cuenv, damaged, or without a seal", () => {
    const place = newPlace();
    run(place);
    const { index } = open(place);
    const read = (): string | undefined => place.text;
    const recalls = (more: object): boolean =>
      createConclusionMemo({ index, read, build: "test", ...more }).recall("q0") !== undefined;
    expect(recalls({})).toBe(true);
    expect(recalls({ build: "other" })).toBe(false);
    expect(recalls({ seal: () => undefined })).toBe(false);
    expect(recalls({ read: () => undefined })).toBe(false);
    expect(recalls({ read: () => `${place.text} ` })).toBe(false);
    const other = newPlace();
    run(other);
    expect(recalls({ index: open(other).index })).toBe(false);
  });

  it("says whether anybody keeps what is concluded, and gives nothing to keep where nobody seals it", () => {
    const place = newPlace();
    run(place);
    const { index } = open(place);
    const memo = (more: object): ReturnType<typeof createConclusionMemo> =>
      createConclusionMemo({ index, read: () => undefined, build: "test", ...more });
    expect(memo({}).isKept()).toBe(true);
    expect(memo({ keeps: false }).isKept()).toBe(false);
    const unsealed = memo({ seal: () => undefined });
    expect(unsealed.isKept()).toBe(false);
    unsealed.conclude("q", "a", { files: [], checks: [] });
    expect(unsealed.serialize()).toBeUndefined();
  });

  it("does not keep what rests on a file that no record says so of", () => {
    const place = newPlace();
    run(place);
    const { index, memo } = open(place);
    const { hash } = hashText("sha256", "a");
    memo.conclude("right", "1", {
      files: [{ path: "a.txt", hash, executable: false }],
      checks: [],
    });
    memo.conclude("mode", "1", { files: [{ path: "a.txt", hash, executable: true }], checks: [] });
    memo.conclude("path", "1", { files: [{ path: "nope", hash, executable: false }], checks: [] });
    place.text = memo.serialize();
    index.save();
    const next = open(place).memo;
    expect(["right", "mode", "path"].map((question) => next.recall(question))).toEqual([
      "1",
      undefined,
      undefined,
    ]);
  });

  it("gives nothing to keep where what was concluded is kept already, or cannot be", () => {
    const place = newPlace();
    run(place);
    const { index, memo } = open(place);
    const { answer, evidence } = answerOf(index, questions[0]);
    memo.conclude("q0", answer, evidence);
    memo.conclude("gone", "1", {
      files: [{ path: "nope", hash: hashText("sha256", "a").hash, executable: false }],
      checks: [],
    });
    expect(memo.serialize()).toBeUndefined();
    memo.conclude("q0", "another", evidence);
    expect(memo.serialize()).toContain("\nq0\tanother\t");
  });

  it("recalls nothing from rows that it does not understand", () => {
    const place = newPlace();
    run(place);
    const [head = "", ...rows] = (place.text ?? "").slice(65).split("\n");
    const broken = [
      "q0",
      "q0\t1",
      "q0\t1\t0,1",
      "q0\t1\t0,1\t{}",
      'q0\t1\t0,1\t[["what","a","b"]]',
      'q0\t1\t0,1\t[["path","a"]]',
    ];
    for (const row of broken) {
      place.text = sealText([head, row, ...rows.slice(1)].join("\n"), checksum);
      expect(open(place).memo.recall("q0"), row).toBeUndefined();
    }
  });

  it("forgets the oldest of what runs do not use any more", () => {
    const place = newPlace();
    run(place);
    const { memo } = open(place);
    const long = "x".repeat(2000);
    for (let at = 0; at < 2000; at += 1)
      memo.conclude(`old ${at}`, long, { files: [], checks: [] });
    expect(memo.recall("q0")).toBeDefined();
    place.text = memo.serialize();
    run(place);
    put(place.root, "d/c", "edited");
    run(place);
    expect((place.text ?? "").length).toBeLessThan(1_200_000);
    expect(run(place)).toEqual(rightAnswers(place));
  });
});
