import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { clearMemos, memosKeptMs, tidyCompiledCode, tidyMemos } from "./clear-memos.ts";
import { leftoverAfterMs } from "./sweep-leftovers.ts";
import { workspaceState } from "./workspace-state.ts";

function folderOf(files: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "clear-memos-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), "");
  }
  return folder;
}

const id = "0123456789abcdef0123456789abcdef";
const memos = [
  "files.bin",
  "files.bin.00ff00ff00ff.tmp",
  "inputs-1-0-0.json",
  "conclusions.jsonl",
  "conclusions-1-0-0.jsonl",
  "entries-1-0-0-beta-1.jsonl",
  "last-results.json",
  "marked-outputs.jsonl",
  `evaluations/evaluation/v1/${id}${id}.json`,
  `evaluations/evaluation/v1/${id}${id}.json.77.k3j2.tmp`,
  `evaluations/projects/${id}.json`,
].map((name) => `v1/workspaces/1/${id}/${name}`);

describe("clearing what is remembered of workspaces", () => {
  it("removes all of it, with its folders, and nothing beside it", () => {
    const kept = ["v1/stats/2026-11-22.jsonl", "v1/secret-salt", "v1/leases/running"];
    const folder = folderOf([...memos, ...kept]);
    clearMemos(folder, Date.now());
    expect(existsSync(join(folder, "v1/workspaces"))).toBe(false);
    expect(kept.filter((file) => existsSync(join(folder, file)))).toEqual(kept);
  });

  it("leaves somebody's own files and what links lead to", () => {
    const own = [
      "v1/workspaces/Notes.txt",
      `v1/workspaces/1/${id}/files.bin.bak`,
      "v1/workspaces/app/package.json",
      "v1/workspaces/index.json",
      "v1/workspaces/1/app/package.json",
      "v1/leases/contract.pdf",
    ];
    const folder = folderOf([...memos, ...own, "mine/inputs.json"]);
    symlinkSync(join(folder, "mine"), join(folder, `v1/workspaces/1/${id}/linked`));
    clearMemos(folder, Date.now() + 2 * leftoverAfterMs);
    expect(readdirSync(join(folder, `v1/workspaces/1/${id}`))).toEqual(["files.bin.bak", "linked"]);
    expect(own.filter((name) => !existsSync(join(folder, name)))).toEqual([]);
    expect(existsSync(join(folder, "mine/inputs.json"))).toBe(true);
    rmSync(join(folder, "v1/workspaces"), { recursive: true });
    symlinkSync(join(folder, "mine"), join(folder, "v1/workspaces"));
    clearMemos(folder, Date.now());
    expect(existsSync(join(folder, "mine/inputs.json"))).toBe(true);
  });

  it("removes leases of processes that died", () => {
    const dead = `v1/leases/${id}${id}`;
    const folder = folderOf([dead]);
    const old = (Date.now() - leftoverAfterMs - 1000) / 1000;
    utimesSync(join(folder, dead), old, old);
    clearMemos(folder, Date.now());
    expect(existsSync(join(folder, dead))).toBe(false);
  });
});

describe("tidying what is remembered of workspaces", () => {
  it("removes that of workspaces nobody used for a month, and leaves the others, those that are only read, and what is not ours", () => {
    const ids = ["a", "b", "c"].map((digit) => digit.repeat(32));
    const [gone = "", read = "", written = ""] = ids;
    const files = ids.flatMap((each) => memos.map((name) => name.replace(`/${id}/`, `/${each}/`)));
    const folder = folderOf([...files, "v1/workspaces/1/app/package.json"]);
    const old = Date.now() / 1000 - 60;
    const age = (name: string, atime = old, mtime = old): void =>
      utimesSync(join(folder, "v1/workspaces/1", name), atime, mtime);
    const later = Date.now() + memosKeptMs;
    for (const name of readdirSync(join(folder, "v1/workspaces/1"), {
      recursive: true,
      encoding: "utf8",
    }))
      age(name);
    age(`${read}/evaluations/projects/${id}.json`, later / 1000, old);
    age(`${written}/inputs-1-0-0.json`, old, later / 1000);
    tidyMemos(folder, later - 120_000);
    expect(readdirSync(join(folder, "v1/workspaces/1")).toSorted()).toEqual(
      [...ids, "app"].toSorted(),
    );
    tidyMemos(folder, later);
    expect(existsSync(join(folder, "v1/workspaces/1", gone))).toBe(false);
    expect(readdirSync(join(folder, "v1/workspaces/1")).toSorted()).toEqual(
      [read, written, "app"].toSorted(),
    );
    expect(existsSync(join(folder, `v1/workspaces/1/${read}/files.bin`))).toBe(true);
  });

  it("knows the names of what versions keep for themselves", () => {
    const folder = folderOf([]);
    const { directory, ofVersion } = workspaceState(folder, "/workspace");
    const paths = Object.values<string>({ ...ofVersion("2.0.0-RC.1") });
    expect(paths).toHaveLength(3);
    mkdirSync(directory, { recursive: true });
    for (const path of [...paths, join(directory, "files.bin")]) writeFileSync(path, "");
    for (const path of paths) utimesSync(path, 1, 1);
    tidyMemos(folder, Date.now());
    expect(readdirSync(directory)).toEqual(["files.bin"]);
  });

  it("removes what other versions left in one that is in use, and nothing else of it", () => {
    const state = `v1/workspaces/1/${id}`;
    const folder = folderOf(memos);
    const later = Date.now() + memosKeptMs + 60_000;
    const use = (name: string, ms: number): void =>
      utimesSync(join(folder, state, name), ms / 1000, (ms - 1000) / 1000);
    const old = [
      "conclusions.jsonl",
      "entries-1-0-0-beta-1.jsonl",
      `evaluations/projects/${id}.json`,
    ];
    for (const name of [...old, "last-results.json"]) use(name, Date.now());
    for (const name of [
      "conclusions-1-0-0.jsonl",
      "inputs-1-0-0.json",
      `evaluations/evaluation/v1/${id}${id}.json`,
    ])
      use(name, later);
    tidyMemos(folder, later);
    const left = readdirSync(join(folder, state)).toSorted();
    expect(left).toEqual([
      "conclusions-1-0-0.jsonl",
      "evaluations",
      "files.bin",
      "files.bin.00ff00ff00ff.tmp",
      "inputs-1-0-0.json",
      "last-results.json",
      "marked-outputs.jsonl",
    ]);
    expect(readdirSync(join(folder, state, "evaluations/evaluation/v1"))).toHaveLength(1);
    expect(readdirSync(join(folder, state, "evaluations/projects"))).toEqual([]);
  });
});

describe("tidying compiled code", () => {
  it("removes what no version used for a month, and nothing that is not Node's", () => {
    const node = "v1/compile-cache/v26.10.0-x64-310b2ce3-0";
    const other = "v1/compile-cache/v22.18.0-x64-0a1b2c3d-0";
    const files = [
      `${node}/15f87e2b`,
      `${node}/2aa4728b`,
      `${node}/notes.txt`,
      `${other}/15f87e2b`,
    ];
    const folder = folderOf([...files, "v1/compile-cache/mine/15f87e2b"]);
    const later = Date.now() + memosKeptMs + 60_000;
    utimesSync(join(folder, node, "2aa4728b"), later / 1000, 0);
    tidyCompiledCode(folder, Date.now());
    expect(files.filter((name) => !existsSync(join(folder, name)))).toEqual([]);
    tidyCompiledCode(folder, later);
    expect(readdirSync(join(folder, node)).toSorted()).toEqual(["2aa4728b", "notes.txt"]);
    expect(existsSync(join(folder, other))).toBe(false);
    expect(existsSync(join(folder, "v1/compile-cache/mine/15f87e2b"))).toBe(true);
    tidyCompiledCode(join(folder, "nowhere"), later);
  });
});
