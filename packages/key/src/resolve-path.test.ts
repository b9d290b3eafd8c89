import { describe, expect, it } from "vitest";
import { type Files, freshIndex, temporaryWorkspace } from "../test/temporary-workspace.ts";
import { portableLinkTarget, type ResolvedPath, resolvePath } from "./resolve-path.ts";

const tree: Files = {
  "a/b/file": "",
  "a/other": "",
  "a/up": { link: ".." },
  "a/out": { link: "../../x" },
  "a/to": { link: "./b//file" },
  "a/self": { link: "." },
  loop: { link: "loop" },
  gone: { link: "nowhere/at/all" },
  "through-file": { link: "a/other/x" },
  ...Object.fromEntries(
    Array.from({ length: 41 }, (_, at) => [
      `chain${at}`,
      { link: at === 0 ? "a" : `chain${at - 1}` },
    ]),
  ),
};

describe("a path with links in it", () => {
  const root = temporaryWorkspace({
    ...tree,
    "a/absolute": { link: "/etc/passwd" },
  });
  const index = freshIndex(root);
  const resolve = (path: string): ResolvedPath =>
    resolvePath(index, path, { looked: () => undefined, link: () => undefined });

  it.each<[string, ResolvedPath]>([
    ["", { kind: "directory", path: "" }],
    ["a", { kind: "directory", path: "a" }],
    ["a/b/file", { kind: "file", path: "a/b/file" }],
    ["a/b/none", { kind: "missing", path: "a/b/none" }],
    ["a/b/file/x", { kind: "missing", path: "a/b/file" }],
    ["a/up/a/other", { kind: "file", path: "a/other" }],
    ["a/up", { kind: "directory", path: "" }],
    ["a/to", { kind: "file", path: "a/b/file" }],
    ["a/self/self/b", { kind: "directory", path: "a/b" }],
    ["a/out", { kind: "outside" }],
    ["a/absolute", { kind: "outside" }],
    ["loop", { kind: "loop" }],
    ["gone", { kind: "missing", path: "nowhere" }],
    ["through-file", { kind: "missing", path: "a/other" }],
    ["chain39/b", { kind: "directory", path: "a/b" }],
    ["chain40/b", { kind: "loop" }],
  ])("%s", (path, resolved) => {
    expect(resolve(path)).toEqual(resolved);
  });

  it("begins at the root again behind an absolute link into the workspace", () => {
    const own = temporaryWorkspace({ "a/b/file": "" });
    const linked = freshIndex(
      temporaryWorkspace({ "a/b/file": "", "a/x": { link: `${own}/a/b` } }),
    );
    expect(resolvePath(linked, "a/x", { looked: () => undefined, link: () => undefined })).toEqual({
      kind: "outside",
    });
    const { root: base } = linked;
    const inside = { ...linked, readLink: () => `${base}/a/./b` };
    expect(
      resolvePath(inside, "a/x/file", { looked: () => undefined, link: () => undefined }),
    ).toEqual({ kind: "file", path: "a/b/file" });
  });

  it("tells every part that was looked at, and every link", () => {
    const told: string[] = [];
    resolvePath(index, "a/up/a/other", {
      looked: (path, found) => told.push(`${path} ${found}`),
      link: (path, target) => told.push(`${path} -> ${target}`),
    });
    expect(told).toEqual([
      "a directory",
      "a/up symlink",
      "a/up -> ..",
      "a directory",
      "a/other file",
    ]);
  });
});

describe("the text of a link in a key", () => {
  it.each([
    ["a/b/link", "../x", "../x"],
    ["a/b/link", "/etc/passwd", "/etc/passwd"],
    ["a/b/link", "/w/a/b/x", "x"],
    ["a/b/link", "/w/a/x", "../x"],
    ["a/b/link", "/w/x/y", "../../x/y"],
    ["a/b/link", "/w", "../.."],
    ["a/b/link", "/w/a/b", "."],
    ["a/b/link", "/w/a/bc", "../bc"],
    ["a/b/link", "/w/b/b", "../../b/b"],
    ["link", "/w/x", "x"],
    ["link", "/w", "."],
  ])("at %s to %s is %s", (path, target, text) => {
    expect(portableLinkTarget("/w", path, target)).toBe(text);
  });
});
