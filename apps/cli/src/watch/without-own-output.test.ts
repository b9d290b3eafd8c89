import { closeSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withoutOwnOutput } from "./without-own-output.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cuenv-own-output-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const lookAt =
  (...paths: readonly string[]) =>
  () => ({
    files: new Map(paths.map((path) => [path, { identity: path, isDeclared: false }] as const)),
    folders: new Set([""]),
  });

describe("a look without our own output", () => {
  it("passes over the file that we write to, also where a link leads to it", () => {
    writeFileSync(join(root, "a"), "");
    symlinkSync("log", join(root, "link"));
    symlinkSync("circle", join(root, "circle"));
    const log = openSync(join(root, "log"), "w");
    try {
      const look = withoutOwnOutput(lookAt("a", "circle", "gone", "link", "log"), root, [log]);
      for (const _ of [1, 2]) {
        expect([...look().files.keys()]).toEqual(["a", "circle", "gone"]);
        expect([...look().folders]).toEqual([""]);
      }
    } finally {
      closeSync(log);
    }
  });

  it("is the same look where we write to no file", () => {
    const look = lookAt("a");
    const device = openSync("/dev/null", "w");
    try {
      expect(withoutOwnOutput(look, root, [device, 9_999])).toBe(look);
    } finally {
      closeSync(device);
    }
  });
});
