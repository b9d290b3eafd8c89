import { spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSparePipes } from "./spare-pipes.ts";

let place: string;
let folder: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "cuenv-spare-"));
  folder = join(place, "pipes");
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

function opened() {
  const pipes = openSparePipes(folder);
  if (pipes === undefined) throw new Error(`${folder} is not taken`);
  return pipes;
}

function make(count: number): void {
  const paths = opened().newPaths().slice(0, count);
  expect(spawnSync("mkfifo", ["-m", "600", ...paths]).status).toBe(0);
}

describe("spare pipes", () => {
  it("are each taken once, by however many look at the same time", () => {
    make(5);
    const takers = Array.from({ length: 3 }, opened);
    // All have read the folder before the first takes one.
    expect(takers.map((taker) => taker.left())).toEqual([5, 5, 5]);
    const paths = Array.from({ length: 4 }, () => takers.map((taker) => taker.take())).flat();
    const found = paths.filter((path) => path !== undefined);
    expect(new Set(found).size).toBe(5);
    expect(found).toHaveLength(5);
    for (const path of found) expect(lstatSync(path).isFIFO()).toBe(true);
  });

  it("are none in a new folder, which only its owner can enter", () => {
    const pipes = opened();
    expect(pipes.take()).toBeUndefined();
    expect(pipes.left()).toBe(0);
    expect(lstatSync(folder).mode & 0o777).toBe(0o700);
  });

  it("that were taken by a process which then died are removed by the next that looks", () => {
    make(2);
    expect(opened().take()).toBeDefined();
    expect(readdirSync(folder)).toHaveLength(2);
    expect(opened().left()).toBe(1);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it("are no more than a few, however often new ones are made", () => {
    make(3);
    const missing = opened().newPaths();
    expect(missing).toHaveLength(28 - 3);
    expect(spawnSync("mkfifo", ["-m", "600", ...missing]).status).toBe(0);
    expect(opened().newPaths()).toEqual([]);
    expect(readdirSync(folder)).toHaveLength(28);
  });

  const strangers: Record<string, () => void> = {
    "a folder that others may enter": () => {
      mkdirSync(folder);
      chmodSync(folder, 0o711);
    },
    "a symbolic link to a private folder": () => {
      mkdirSync(join(place, "real"), { mode: 0o700 });
      symlinkSync("real", folder);
    },
    "a file": () => writeFileSync(folder, ""),
    "a folder that cannot be made": () => {
      writeFileSync(join(place, "file"), "");
      folder = join(place, "file", "pipes");
    },
  };
  it.each(Object.entries(strangers))("are not kept in %s", (_name, prepare) => {
    prepare();
    expect(openSparePipes(folder)).toBeUndefined();
  });
});
