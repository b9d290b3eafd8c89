import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { appendToFile, readMemoFile, readMemoStart, readRegularFile } from "./own-file.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "own-file-"));
  writeFileSync(at("outside"), "outside");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

/** What may lie where a file should, by name. */
const others: readonly (readonly [string, (path: string) => unknown])[] = [
  ["a FIFO", (path) => spawnSync("mkfifo", [path])],
  ["a link to a device without an end", (path) => symlinkSync("/dev/zero", path)],
  ["a link to a file", (path) => symlinkSync(at("outside"), path)],
  ["a link to nothing", (path) => symlinkSync(at("nothing"), path)],
  [
    "a socket",
    (path) =>
      spawnSync(process.execPath, [
        "-e",
        `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`,
      ]),
  ],
];

describe("a file of ours", () => {
  it("is read whole, up to its bound", () => {
    writeFileSync(at("f"), "content");
    expect(readRegularFile(at("f"), 7)?.toString()).toBe("content");
    expect(() => readRegularFile(at("f"), 6)).toThrow(expect.objectContaining({ code: "EFBIG" }));
    expect(readMemoFile(at("f"), 6)).toBeUndefined();
    expect(readMemoStart(at("f"), 3)?.toString()).toBe("con");
    expect(readMemoStart(at("f"), 300)?.toString()).toBe("content");
  });

  it("is not read when it has grown beyond all bounds, and takes no memory", () => {
    writeFileSync(at("f"), "content");
    truncateSync(at("f"), 3 * 1024 ** 3);
    expect(readMemoFile(at("f"), 1024)).toBeUndefined();
    expect(readMemoStart(at("f"), 7)?.toString()).toBe("content");
  });

  it.each(others)("is not there, and nothing is waited for, when it is %s", (_, make) => {
    make(at("f"));
    expect(lstatSync(at("f")).isFile()).toBe(false);
    expect(readRegularFile(at("f"), 1024)).toBeUndefined();
    expect(readMemoFile(at("f"), 1024)).toBeUndefined();
    expect(readMemoStart(at("f"), 1024)).toBeUndefined();
  });

  it.each(others)("takes the place of %s when something is appended", (_, make) => {
    make(at("f"));
    expect(appendToFile(at("f"), "line\n")).toBe(0);
    expect(readFileSync(at("f"), "utf8")).toBe("line\n");
    expect(existsSync(at("nothing"))).toBe(false);
    expect(readFileSync(at("outside"), "utf8")).toBe("outside");
  });

  it("is appended to up to its bound, and tells its size before", () => {
    expect(appendToFile(at("f"), "one\n", 5)).toBe(0);
    expect(appendToFile(at("f"), "two\n", 5)).toBe(4);
    expect(appendToFile(at("f"), "three\n", 5)).toBe(8);
    expect(readFileSync(at("f"), "utf8")).toBe("one\ntwo\n");
    expect(statSync(at("f")).mode & 0o777).toBe(0o600);
  });

  it("leaves a folder in its place alone", () => {
    mkdirSync(at("f"));
    expect(() => appendToFile(at("f"), "line\n")).toThrow(
      expect.objectContaining({ code: "EISDIR" }),
    );
    expect(readMemoFile(at("f"), 1024)).toBeUndefined();
    expect(lstatSync(at("f")).isDirectory()).toBe(true);
  });
});
