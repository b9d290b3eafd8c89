import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeFolder } from "../test/workspace.ts";
import { fileVersion } from "./file-version.ts";

let base: string;
beforeEach(() => {
  base = makeFolder();
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

it("only regular files have a version, and what cannot be there is no error", () => {
  writeFileSync(`${base}/file`, "x");
  mkdirSync(`${base}/folder`);
  symlinkSync("file", `${base}/link`);
  symlinkSync("loop", `${base}/loop`);
  const odd = ["none", "folder", "link", "loop", "file/below", "loop/below", "n".repeat(300)];
  for (const name of odd) expect(fileVersion(`${base}/${name}`), name).toBeUndefined();
});

it("a file has one once it is old enough, and another after each change", async () => {
  const path = `${base}/file`;
  writeFileSync(path, "first");
  expect(fileVersion(path)).toBeUndefined();
  const settled = async () => {
    await expect.poll(() => fileVersion(path)).toBeDefined();
    return fileVersion(path);
  };
  const first = await settled();
  expect(fileVersion(path)).toBe(first);
  writeFileSync(path, "other");
  utimesSync(path, 1.0005, 1.0005);
  expect(await settled()).not.toBe(first);
});
