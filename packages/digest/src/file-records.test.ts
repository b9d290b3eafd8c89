import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createFileIndex } from "./create-file-index.ts";
import type { FileIndex } from "./file-index.ts";
import { numberRanges, type SavedRecords } from "./file-records.ts";
import { hashText } from "./hasher.ts";

let root: string;
let stateFile: string;

beforeEach(() => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "file-records-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  root = join(folder, "work");
  stateFile = join(folder, "files.bin");
  mkdirSync(join(root, "d"), { recursive: true });
  for (const name of ["a", "b", "c", "d/e"]) write(name, name);
});

let seconds = 1_700_000_000.5;
/** No two with the same time, whatever the clock of the file system counts in. */
function write(path: string, text: string): void {
  writeFileSync(join(root, path), text);
  seconds += 1;
  utimesSync(join(root, path), seconds, seconds);
}

/** As a process that starts long after the last change. */
function index(): FileIndex {
  const now = (): number => Date.now() + 60_000;
  return createFileIndex({ root, digestFunction: "sha256", stateFile, now });
}

const paths = ["a", "b", "c", "d/e"];

/** What the next process finds, and the numbers of `a`, `b`, `c`, `d/e` and the folder `d`. */
function recorded(): { readonly records: SavedRecords; readonly ranges: readonly number[] } {
  const first = index();
  for (const path of paths) first.digest(path);
  first.listHash("d");
  first.save();
  const records = first.records.saved();
  if (records === undefined) throw new Error("nothing was saved");
  const numbers = paths.map((path) => find(records, path, path));
  const folder = records.find("d", { kind: "directory", hash: index().listHash("d") });
  return { records, ranges: numberRanges([...numbers, folder ?? -1].toSorted((x, y) => x - y)) };
}

function find(records: SavedRecords, path: string, text: string): number {
  const { hash } = hashText("sha256", text);
  return records.find(path, { kind: "file", hash, executable: false }) ?? -1;
}

describe("the records of a file index", () => {
  it("hold as long as every stat is the recorded one", () => {
    const { records, ranges } = recorded();
    const next = index();
    expect(next.records.id).toBe(records.id);
    expect(next.records.holds(ranges)).toBe(true);
    // It was looked at just now.
    rmSync(join(root, "a"));
    expect(next.records.holds(ranges)).toBe(true);
    next.invalidate("");
    expect(next.records.holds(ranges)).toBe(false);
  });

  it.each<readonly [string, () => void]>([
    ["another content of the same length", () => write("a", "x")],
    ["the same content, written again", () => write("a", "a")],
    ["an exec bit", () => chmodSync(join(root, "b"), 0o755)],
    ["a file that is gone", () => rmSync(join(root, "c"))],
    [
      "a folder in place of a file",
      () => {
        rmSync(join(root, "c"));
        mkdirSync(join(root, "c"));
      },
    ],
    [
      "a link in place of a file",
      () => {
        rmSync(join(root, "c"));
        symlinkSync("a", join(root, "c"));
      },
    ],
    ["a new name in a folder", () => write("d/new", "")],
  ])("do not hold after %s, whether it was looked at or not", (_, change) => {
    const { ranges } = recorded();
    change();
    expect(index().records.holds(ranges)).toBe(false);
    const looked = index();
    for (const path of [...paths, "d"]) looked.stat(path);
    expect(looked.records.holds(ranges)).toBe(false);
  });

  it("leave the look at a path that changed to whoever asks", () => {
    const { ranges } = recorded();
    write("b", "other");
    const next = index();
    expect(next.records.holds(ranges)).toBe(false);
    expect(next.digest("b")).toEqual(hashText("sha256", "other"));
  });

  it("hold of no number that there is not", () => {
    recorded();
    for (const ranges of [
      [0, 1_000_000_000],
      [-5, 1],
      [99, 100],
    ])
      expect(index().records.holds(ranges), ranges.join()).toBe(false);
    expect(index().records.holds([])).toBe(true);
  });

  it("are none where nothing was saved, and none of another digest function or a damaged file", () => {
    expect(index().records).toMatchObject({ id: undefined });
    expect(index().records.saved()).toBeUndefined();
    recorded();
    const other = createFileIndex({ root, digestFunction: "blake3", stateFile });
    expect(other.records.id).toBeUndefined();
    const bytes = readFileSync(stateFile);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(stateFile, bytes);
    expect(index().records.id).toBeUndefined();
  });

  it("are found by what they say", () => {
    const { records } = recorded();
    const { hash } = hashText("sha256", "a");
    const number = records.find("a", { kind: "file", hash });
    expect(number).toBeDefined();
    expect(records.find("a", { kind: "file", hash, executable: false })).toBe(number);
    expect(records.find("a", { kind: "file", hash, executable: true })).toBeUndefined();
    expect(records.find("a", { kind: "directory", hash: hash.slice(0, 24) })).toBeUndefined();
    expect(records.find("b", { kind: "file", hash })).toBeUndefined();
    expect(records.find("nope", { kind: "file", hash })).toBeUndefined();
    expect(records.find("zzz", { kind: "file", hash })).toBeUndefined();
  });

  it("keep their meaning under other numbers when others come and go", () => {
    const { records, ranges } = recorded();
    write("0-first", "new");
    write("bb", "new");
    const next = index();
    for (const path of ["0-first", "bb"]) next.digest(path);
    next.save();
    const saved = next.records.saved();
    expect(saved?.id).not.toBe(records.id);
    const moved = saved?.renumber(ranges);
    expect(moved).not.toEqual(ranges);
    expect(index().records.holds(moved ?? [])).toBe(true);
    write("c", "other");
    expect(index().records.holds(moved ?? [])).toBe(false);
  });

  it("are the same ones where nothing was saved", () => {
    const { records, ranges } = recorded();
    const saved = index().records.saved();
    expect(saved?.id).toBe(records.id);
    expect(saved?.renumber(ranges)).toEqual(ranges);
  });

  it("are lost with what they said, not with their times", () => {
    const { ranges } = recorded();
    write("a", "a");
    const touched = index();
    touched.digest("a");
    touched.save();
    const moved = touched.records.saved()?.renumber(ranges);
    expect(index().records.holds(moved ?? [-1, 0])).toBe(true);
    write("a", "other");
    const edited = index();
    edited.digest("a");
    edited.save();
    expect(edited.records.saved()?.renumber(moved ?? [])).toBeUndefined();
  });

  it("are no more where a run found nothing at their path", () => {
    const { ranges } = recorded();
    rmSync(join(root, "a"));
    write("new", "new");
    const next = index();
    next.stat("a");
    next.digest("new");
    next.save();
    expect(next.records.saved()?.renumber(ranges)).toBeUndefined();
  });
});
