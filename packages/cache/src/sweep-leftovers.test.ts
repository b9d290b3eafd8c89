import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { leftoverAfterMs, sweepLeftovers } from "./sweep-leftovers.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "leftovers-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function make(name: string, ageMs: number): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
  const then = (Date.now() - ageMs) / 1000;
  utimesSync(path, then, then);
}

it("removes temporary files and leases that nobody finished, and nothing else", () => {
  const old = leftoverAfterMs + 60_000;
  for (const name of [
    "state/files.bin.1.x.tmp",
    "state/deep/memo.json.2.y.tmp",
    `leases/${"a".repeat(64)}`,
  ])
    make(name, old);
  for (const name of ["state/files.bin", "state/deep/memo.json", "leases/of-a-flat.pdf"])
    make(name, old);
  for (const name of ["state/inputs.json.3.z.tmp", `leases/${"c".repeat(64)}`]) make(name, 0);
  sweepLeftovers(
    ["state", "leases", "absent"].map((name) => join(folder, name)),
    Date.now(),
  );
  const left = (name: string): boolean => existsSync(join(folder, name));
  expect(
    ["state/files.bin.1.x.tmp", "state/deep/memo.json.2.y.tmp", `leases/${"a".repeat(64)}`].filter(
      left,
    ),
  ).toEqual([]);
  expect(
    [
      "state/files.bin",
      "state/deep/memo.json",
      "leases/of-a-flat.pdf",
      "state/inputs.json.3.z.tmp",
      `leases/${"c".repeat(64)}`,
    ].every(left),
  ).toBe(true);
});
