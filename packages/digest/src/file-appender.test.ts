import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFileAppender } from "./file-appender.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cuenv-append-"));
  path = join(folder, "below/file");
  mkdirSync(join(folder, "below"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const openFiles = (): number => readdirSync("/proc/self/fd").length;

describe("a file that is appended to again and again", () => {
  it("is one file, this user's alone, which several may append to", () => {
    const [one, other] = [createFileAppender(path, 100), createFileAppender(path, 100)];
    one.append("a\n");
    other.append("b\n");
    one.append("c\n");
    expect(readFileSync(path, "utf8")).toBe("a\nb\nc\n");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const appender of [one, other]) appender.close();
  });

  it("is made anew when it was removed, and fails with its folder", () => {
    const appender = createFileAppender(path, 100);
    appender.append("a\n");
    rmSync(path);
    appender.append("b\n");
    expect(readFileSync(path, "utf8")).toBe("b\n");
    rmSync(join(folder, "below"), { recursive: true });
    expect(() => {
      appender.append("c\n");
    }).toThrow("ENOENT");
    mkdirSync(join(folder, "below"));
    appender.append("d\n");
    expect(readFileSync(path, "utf8")).toBe("d\n");
    appender.close();
  });

  it("does not grow beyond its limit, nor wait at a pipe in its place", () => {
    const appender = createFileAppender(path, 3);
    for (const text of ["ab", "cd", "ef"]) appender.append(text);
    expect(readFileSync(path, "utf8")).toBe("abcd");
    rmSync(path);
    expect(spawnSync("mkfifo", [path]).status).toBe(0);
    appender.append("ab");
    expect(readFileSync(path, "utf8")).toBe("ab");
    appender.close();
  });

  it("is open while it is appended to, and not once it was closed", () => {
    const before = openFiles();
    const appender = createFileAppender(path, 100);
    expect(openFiles()).toBe(before);
    for (const text of ["a", "b"]) appender.append(text);
    expect(openFiles()).toBe(before + 1);
    appender.close();
    appender.close();
    expect(openFiles()).toBe(before);
    appender.append("c");
    expect(readFileSync(path, "utf8")).toBe("abc");
    appender.close();
  });
});
