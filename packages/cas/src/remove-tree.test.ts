import { chmodSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder } from "../test/workspace.ts";
import { removeTree } from "./remove-tree.ts";

let base: string;
beforeEach(() => void (base = makeFolder()));
afterEach(() => rmSync(base, { recursive: true, force: true }));

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

describe("what is removed", () => {
  it("is gone, whatever it was: a file, a link to nothing, to a file or a folder, a folder with all of them, nothing", () => {
    mkdirSync(`${base}/kept/deep`, { recursive: true });
    writeFileSync(`${base}/kept/deep/file`, "kept");
    const make = (folder: string): void => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${folder}/file`, "");
      symlinkSync("nowhere", `${folder}/to-nothing`);
      symlinkSync(`${base}/kept/deep/file`, `${folder}/to-file`);
      symlinkSync(`${base}/kept/deep`, `${folder}/to-folder`);
    };
    make(`${base}/one`);
    make(`${base}/two/inner`);
    chmodSync(`${base}/two/inner`, 0o500);
    const names = ["file", "to-nothing", "to-file", "to-folder", "nothing"];
    for (const path of [...names.map((name) => `${base}/one/${name}`), `${base}/two`]) {
      removeTree(path);
      expect([path, isThere(path)]).toEqual([path, false]);
    }
    expect(isThere(`${base}/kept/deep/file`)).toBe(true);
  });
});
