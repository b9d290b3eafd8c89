import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashText } from "@cuenv/digest";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { openLastResults } from "./last-results.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "last-results-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

const open = () => openLastResults(join(folder, "last.json"), join(folder, "earlier.jsonl"));

function runOf(keys: Readonly<Record<string, string>>): void {
  const results = open();
  for (const [task, key] of Object.entries(keys))
    results.set(task, { key, keyInputs: hashText("sha256", key) });
  results.save();
}

it("tells which tasks changed last, the newest first, whatever was looked up since", () => {
  expect(open().recent(3)).toEqual([]);
  runOf({ a: "1", b: "1", c: "1", d: "1" });
  expect(open().recent(2)).toEqual(["d", "c"]);
  runOf({ a: "1", b: "2", c: "1", d: "1" });
  runOf({ d: "1", c: "1", b: "2", a: "1" });
  expect(open().recent(2)).toEqual(["b", "d"]);
  expect(open().recent(9)).toEqual(["b", "d", "c", "a"]);
});

it("keeps that order when another run saved meanwhile", () => {
  runOf({ a: "1", b: "1", c: "1" });
  const ours = open();
  ours.set("a", { key: "2", keyInputs: hashText("sha256", "2") });
  expect(ours.recent(9)).toEqual(["c", "b"]);
  runOf({ b: "2" });
  ours.save();
  expect(open().recent(9)).toEqual(["a", "b", "c"]);
  expect(open().get("b")?.key).toBe("2");
});
