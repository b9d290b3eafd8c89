import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalizeWorkingDirectory } from "./normalize-working-directory.ts";

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
