import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import {
  isAbsolutePath,
  normalizeWorkingDirectory,
  resolveSegments,
  segmentsInside,
} from "./normalize-working-directory.ts";

function normalize(
  workingDirectory: string,
  projectDirectory = "p",
  workspaceRoot = "/w/s",
): string {
  return normalizeWorkingDirectory({ workspaceRoot, projectDirectory, workingDirectory });
}

const segment = fc
  .stringMatching(/^[a-zA-Z0-9_.-]{1,5}$/)
  .filter((text) => text !== "." && text !== "..");
const path = fc.array(segment, { maxLength: 4 });

describe("row 24, row 36: normalizeWorkingDirectory", () => {
  it("gives the path from the workspace root", () => {
    expect(normalize("")).toBe("p");
    expect(normalize(".")).toBe("p");
    expect(normalize("..")).toBe("");
    expect(normalize("x/../x/")).toBe("p/x");
    expect(normalize("./a//b/.")).toBe("p/a/b");
    expect(normalize("/w/s")).toBe("");
    expect(normalize("/w/s/q/")).toBe("q");
    expect(normalize("/w/../w/s/q")).toBe("q");
  });

  it("gives one text for all spellings of a folder", () => {
    fc.assert(
      fc.property(path, segment, (parts, detour) => {
        const plain = parts.join("/");
        const expected = normalize(plain);
        expect(normalize(`./${plain}/`)).toBe(expected);
        expect(normalize(`./${plain}`)).toBe(expected);
        expect(normalize(`${detour}/../${plain}`)).toBe(expected);
        expect(normalize(`./${parts.join("//./")}`)).toBe(expected);
        expect(normalize(`/w/s/p/${plain}`)).toBe(expected);
        expect(normalize(expected, "")).toBe(expected);
      }),
    );
  });

  it("gives other folders other texts, and each checkout the same", () => {
    fc.assert(
      fc.property(path, path, path, (left, right, root) => {
        const same = left.join("/") === right.join("/");
        expect(normalize(left.join("/")) === normalize(right.join("/"))).toBe(same);
        const elsewhere = `/${root.join("/")}`;
        const absolute = `${elsewhere}/${left.join("/")}`;
        expect(normalize(absolute, "p", elsewhere)).toBe(left.join("/"));
      }),
    );
  });

  it("refuses what is outside", () => {
    for (const outside of ["../..", "/w", "/w/s2", "/", "a/../../..", "a\0b"]) {
      expect(() => normalize(outside)).toThrow(
        expect.objectContaining({ code: "KEY_PATH_INVALID" }),
      );
    }
  });
});

describe("row 24: what is said of a path that cannot be used", () => {
  const refusal = (path_: string): unknown => {
    try {
      return normalize(path_);
    } catch (error) {
      return error;
    }
  };

  it("names the path and the reason", () => {
    expect(refusal("a\0b")).toMatchObject({
      code: "KEY_PATH_INVALID",
      message: 'cannot use path "a\\u0000b": it contains a NUL byte',
    });
    expect(refusal("../..")).toMatchObject({
      message: 'cannot use path "../..": it is outside the workspace /w/s',
      hint: "Only folders and files below the workspace root can take part in a cached task.",
    });
  });

  it("holds for a path that climbs above the top, and for such a project", () => {
    expect(segmentsInside("/w", "/../w")).toBeUndefined();
    expect(segmentsInside("/../w", "/w")).toBeUndefined();
    expect(segmentsInside("/w", "/w/a")).toEqual(["a"]);
    expect(normalize("x", "..")).toBe("x");
  });
});

describe("row 24: paths of Windows", () => {
  const { platform } = process;
  const pretend = (value: string): unknown => Object.defineProperty(process, "platform", { value });
  afterEach(() => pretend(platform));

  it("have drives and backslashes there, and nowhere else", () => {
    for (const [system, windows] of [
      ["win32", true],
      ["linux", false],
    ] as const) {
      pretend(system);
      expect(isAbsolutePath("C:\\x")).toBe(windows);
      expect(isAbsolutePath("c:/x")).toBe(windows);
      for (const relative of ["C:x", "1:/x", "xC:/x", "x"])
        expect(isAbsolutePath(relative)).toBe(false);
      expect(isAbsolutePath("/x")).toBe(true);
      expect(resolveSegments([], "a\\..\\b/c")).toEqual(windows ? ["b", "c"] : ["a\\..\\b", "c"]);
    }
  });
});
