import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { removeAbandoned } from "./build-cli.mjs";

test("a build removes what killed ones left, and nothing of one that runs", () => {
  const folder = mkdtempSync(join(tmpdir(), "cuenv-build-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const gone = spawnSync(process.execPath, ["--version"]).pid;
  const kept = [`build-cli-${process.ppid}`, `profile-cli-${process.ppid}`, `tsc-${gone}`, "tsc"];
  const left = [`build-cli-${gone}`, `profile-cli-${gone}`, `profile-cli-${process.pid}`];
  for (const name of [...kept, ...left]) mkdirSync(join(folder, name, "dist"), { recursive: true });
  removeAbandoned(folder);
  expect(readdirSync(folder)).toEqual(kept.toSorted());
});
