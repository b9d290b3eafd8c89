import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type Files,
  freshIndex,
  temporaryWorkspace,
  unlistable,
  unlistableIndex,
  writeFiles,
} from "../test/temporary-workspace.ts";
import { hashInputFiles } from "./hash-input-files.ts";
import { createInputSet } from "./input-set.ts";
import { selectInputs } from "./select-inputs.ts";
import type { Selection, SelectionRequest } from "./selection.ts";

type Options = Partial<Omit<SelectionRequest, "index">>;

function select(
  root: string,
  patterns: readonly string[] | undefined,
  options: Options = {},
): Selection {
  return selectInputs({ index: freshIndex(root), projectDirectory: "", patterns, ...options });
}

function selectFrom(
  files: Files,
  patterns: readonly string[] | undefined,
  options: Options = {},
): Selection {
  return select(temporaryWorkspace(files), patterns, options);
}

describe("selectInputs", () => {
  const project: Files = {
    "p/src/a.ts": "1",
    "p/src/deep/b.ts": "2",
    "p/src/.hidden": "3",
    "p/package.json": "4",
    "p/.env": "5",
    "q/c.ts": "6",
  };

  it("row 23: takes a folder with everything below it, dotfiles included", () => {
    const { files, problems } = selectFrom(project, ["src"], { projectDirectory: "p" });
    expect(files).toEqual(["p/src/.hidden", "p/src/a.ts", "p/src/deep/b.ts"]);
    expect(problems).toEqual([]);
  });

  it("row 23: lets wildcards match dotfiles", () => {
    expect(selectFrom(project, ["*"], { projectDirectory: "p" }).files).toEqual([
      "p/.env",
      "p/package.json",
    ]);
    expect(selectFrom(project, ["**"], { projectDirectory: "p" }).files).toHaveLength(5);
  });

  it("row 23: finds names with spaces, unicode and special characters", () => {
    const names = [
      "with space.txt",
      "grüße.txt",
      "\u{1F600}.txt",
      "e\u0301.txt",
      "\u00e9.txt",
      "a(b)$&;.txt",
      "-x.txt",
    ];
    const files = Object.fromEntries(names.map((name) => [name, name]));
    expect(selectFrom(files, ["*.txt"]).files.toSorted()).toEqual(names.toSorted());
    for (const name of names) expect(selectFrom(files, [name]).files).toEqual([name]);
  });

  it("sorts by UTF-8 bytes and gives each file once", () => {
    const files = { "\uFFFD": "", "\u{1F600}": "", b: "", a: "" };
    expect(selectFrom(files, ["*", "a", "**"]).files).toEqual(["a", "b", "\uFFFD", "\u{1F600}"]);
  });

  it("takes all files of the project that git does not ignore when nothing is declared", () => {
    const files = {
      ...project,
      ".gitignore": "deep\n",
      "p/.gitignore": ".env\n",
      "p/node_modules/x/i.js": "",
    };
    const { files: found } = selectFrom(files, undefined, { projectDirectory: "p" });
    expect(found).toEqual(["p/.gitignore", "p/package.json", "p/src/.hidden", "p/src/a.ts"]);
    expect(selectFrom(files, [], { projectDirectory: "p" }).files).toEqual([]);
  });

  it("starts from all files when a list only leaves out", () => {
    const all = { projectDirectory: "p" };
    expect(selectFrom(project, ["!src"], all).files).toEqual(["p/.env", "p/package.json"]);
    const ignored = { ...all, ignorePatterns: ["!src"] };
    expect(selectFrom(project, undefined, ignored).files).toHaveLength(5);
    const outputs = { ...all, excludeOutputs: [{ projectDirectory: "p", patterns: ["!src"] }] };
    expect(selectFrom(project, undefined, outputs).files).toHaveLength(5);
  });

  it("passes over ignored files with wildcards, and takes them when they are named", () => {
    const files = {
      ".gitignore": "gen\n*.log\n",
      "gen/a.ts": "",
      "gen/x.log": "",
      "src/b.ts": "",
      "src/c.log": "",
      "src/gen/d.ts": "",
    };
    expect(selectFrom(files, ["**/*.ts"]).files).toEqual(["src/b.ts"]);
    expect(selectFrom(files, ["src"]).files).toEqual(["src/b.ts"]);
    expect(selectFrom(files, ["gen"]).files).toEqual(["gen/a.ts", "gen/x.log"]);
    expect(selectFrom(files, ["gen/*.ts"]).files).toEqual(["gen/a.ts"]);
    expect(selectFrom(files, ["src/c.log"]).files).toEqual(["src/c.log"]);
    expect(selectFrom(files, ["src/gen"]).files).toEqual(["src/gen/d.ts"]);
    expect(selectFrom(files, ["*/gen"]).files).toEqual([]);
  });

  it("never enters .git with wildcards, nor node_modules, ignored or not", () => {
    const files = {
      ".git/HEAD": "ref",
      "node_modules/a/i.js": "",
      "p/node_modules/b.js": "",
      "x.js": "",
    };
    expect(selectFrom(files, ["**"]).files).toEqual(["x.js"]);
    expect(selectFrom(files, [".git/HEAD", "node_modules/a"]).files).toEqual([
      ".git/HEAD",
      "node_modules/a/i.js",
    ]);
    expect(selectFrom({ ...files, ".gitignore": "!node_modules\n" }, ["**/*.js"]).files).toContain(
      "p/node_modules/b.js",
    );
  });

  it("row 20: lets ignoreInputs beat inputs, and adds extraInputs", () => {
    const options = {
      projectDirectory: "p",
      ignorePatterns: ["src/deep", "package.json"],
      extraPatterns: ["//q/**", "package.json"],
    };
    expect(selectFrom(project, ["src"], options).files).toEqual([
      "p/src/.hidden",
      "p/src/a.ts",
      "q/c.ts",
    ]);
    expect(
      selectFrom(project, undefined, { projectDirectory: "p", extraPatterns: ["//q/c.ts"] }).files,
    ).toContain("q/c.ts");
  });

  it("never takes outputs as inputs, not even when they are named", () => {
    const files = { "src/a.ts": "", "dist/a.js": "", "dist/keep/b.js": "" };
    const own = { excludeOutputs: [{ projectDirectory: "", patterns: ["dist"] }] };
    expect(selectFrom(files, ["**"], own).files).toEqual(["src/a.ts"]);
    expect(selectFrom(files, ["dist/a.js", "dist", "src"], own).files).toEqual(["src/a.ts"]);
    const part = {
      excludeOutputs: [{ projectDirectory: "", patterns: ["dist/**", "!dist/keep"] }],
    };
    expect(selectFrom(files, ["**"], part).files).toEqual(["dist/keep/b.js", "src/a.ts"]);
    const folders = { excludeOutputs: [{ projectDirectory: "", patterns: ["di*", "!dist/ke*"] }] };
    expect(selectFrom(files, ["**"], folders).files).toEqual(["dist/keep/b.js", "src/a.ts"]);
    const glob = { excludeOutputs: [{ projectDirectory: "dist", patterns: ["*.js"] }] };
    expect(selectFrom(files, ["**"], glob).files).toEqual(["dist/keep/b.js", "src/a.ts"]);
  });

  it("leaves a named file in that has the name of a folder which is left out", () => {
    for (const left of ["!a/**", "!a/", "!a/**/*.ts"]) {
      expect(selectFrom({ a: "" }, ["a", left]).files, left).toEqual(["a"]);
      expect(selectFrom({ "a/b.ts": "" }, ["a", left]).files, left).toEqual([]);
      // Whether it comes as a file, nobody knows: its absence is a fact.
      const { files, problems, checks } = selectFrom({}, ["a", left]);
      expect([files, problems.map(({ kind }) => kind)]).toEqual([[], ["missing"]]);
      expect(checks).toContainEqual({ kind: "path", path: "a", found: "missing" });
    }
    expect(selectFrom({ a: "" }, ["a", "!a"]).files).toEqual([]);
    expect(selectFrom({ a: { link: "b" }, b: "" }, ["a", "!a/**"]).files).toEqual(["a", "b"]);
  });

  it("never looks into excluded folders", () => {
    const files = { "cache/v1/x": "", a: "" };
    expect(selectFrom(files, ["**", "cache"], { excludePaths: ["cache"] }).files).toEqual(["a"]);
  });

  it("row 23: defines zero matches, and says what was named and is not there", () => {
    const { files, problems } = selectFrom(project, ["nope.txt", "no/where/*.x", "q/c.ts"]);
    expect(files).toEqual(["q/c.ts"]);
    expect(problems).toEqual([
      { kind: "missing", path: "nope.txt", pattern: "nope.txt" },
      { kind: "unmatched", pattern: "no/where/*.x" },
    ]);
  });

  it("passes over special files, and says so when one is named", () => {
    const root = temporaryWorkspace({ a: "" });
    execFileSync("mkfifo", [join(root, "pipe")]);
    expect(select(root, ["a", "pipe"])).toMatchObject({
      files: ["a"],
      problems: [{ kind: "special", path: "pipe" }],
    });
  });
});

describe("symbolic links", () => {
  it("row 23: count with their text, and with what they point to", () => {
    const files: Files = {
      "src/link.ts": { link: "../shared/real.ts" },
      "shared/real.ts": "x",
      "shared/other.ts": "y",
    };
    expect(selectFrom(files, ["src"]).files).toEqual(["shared/real.ts", "src/link.ts"]);
    const folder: Files = { ...files, "src/all": { link: "../shared" } };
    expect(selectFrom(folder, ["src/**"]).files).toEqual([
      "shared/other.ts",
      "shared/real.ts",
      "src/all",
      "src/link.ts",
    ]);
  });

  it("are followed where a pattern names them or a single wildcard meets them, not by **", () => {
    const files: Files = { "real/a.ts": "", "real/b.js": "", link: { link: "real" } };
    expect(selectFrom(files, ["link/a.ts"]).files).toEqual(["link", "real/a.ts"]);
    expect(selectFrom(files, ["l*/*.ts"]).files).toEqual(["link", "real/a.ts"]);
    expect(selectFrom(files, ["**/*.ts"]).files).toEqual(["real/a.ts"]);
  });

  it("that go round in circles end", () => {
    const files: Files = {
      "d/a": "1",
      "d/loop": { link: "." },
      "d/up": { link: ".." },
      self: { link: "self" },
      x: { link: "y" },
      y: { link: "x" },
    };
    const { files: found, problems } = selectFrom(files, ["**"]);
    expect(found).toEqual(["d/a", "d/loop", "d/up", "self", "x", "y"]);
    expect(problems.map((problem) => problem.kind === "link" && problem.reason)).toContain("loop");
    expect(selectFrom(files, ["*/*/*/*/*/*/*/*"]).files.length).toBeLessThan(10);
  });

  it("that lead out of the workspace count with their text only", () => {
    const files: Files = {
      out: { link: "../../etc" },
      abs: { link: "/etc/hostname" },
      gone: { link: "nowhere" },
    };
    const { files: found, problems } = selectFrom(files, ["*"]);
    expect(found).toEqual(["abs", "gone", "out"]);
    expect(problems).toMatchObject([
      { reason: "outside" },
      { reason: "missing" },
      { reason: "outside" },
    ]);
    expect(selectFrom(files, ["out/passwd"]).files).toEqual(["out"]);
  });

  it("with an absolute text into the workspace are the same in every checkout", () => {
    const nodes = [1, 2].map(() => {
      const root = temporaryWorkspace({ "shared/real": "x" });
      writeFiles(root, {
        "a/b/link": { link: join(root, "shared/real") },
        "a/top": { link: root },
      });
      const index = freshIndex(root);
      const { files } = selectInputs({ index, projectDirectory: "", patterns: ["a/b"] });
      return hashInputFiles({ index, paths: [...files, "a/top"] });
    });
    expect(nodes[0]).toEqual(nodes[1]);
    expect(nodes[0]).toContainEqual({
      kind: "symlink",
      path: "a/b/link",
      target: "../../shared/real",
    });
    expect(nodes[0]).toContainEqual({ kind: "symlink", path: "a/top", target: ".." });
  });

  it("to excluded places bring nothing in", () => {
    const files: Files = { link: { link: "secret/key" }, "secret/key": "x" };
    expect(selectFrom(files, ["link", "!secret"]).files).toEqual(["link"]);
  });
});

describe("what cannot be looked at", () => {
  const refused = (message: string) =>
    expect.objectContaining({
      code: "KEY_INPUT_UNREADABLE",
      message: expect.stringContaining(message),
    });

  it("is no empty folder: its files would be in no key", () => {
    const root = temporaryWorkspace({ a: "1" });
    const request = { projectDirectory: "", patterns: [unlistable] };
    expect(() => selectInputs({ ...request, index: unlistableIndex(root) })).toThrow(
      refused(`cannot list ${unlistable}: ENAMETOOLONG`),
    );
  });

  it.each([
    ["link", "link"],
    [".gitignore", "*"],
  ])("is what went since it was seen: %s", (path, pattern) => {
    const both: Files = { link: { link: "a" }, ".gitignore": "b" };
    const root = temporaryWorkspace({ a: "1", [path]: both[path] ?? "" });
    const index = freshIndex(root);
    index.list("");
    index.stat(path);
    rmSync(join(root, path));
    expect(() => selectInputs({ index, projectDirectory: "", patterns: [pattern] })).toThrow(
      refused(`cannot hash ${path}: ENOENT`),
    );
  });
});

describe("hashInputFiles", () => {
  it("row 36: hashes bytes, the exec bit and link texts, and nothing else", () => {
    const root = temporaryWorkspace({ a: "1", link: { link: "a" } });
    const before = hashInputFiles({ index: freshIndex(root), paths: ["a", "link", "gone"] });
    utimesSync(join(root, "a"), 1, 1);
    expect(hashInputFiles({ index: freshIndex(root), paths: ["a", "link", "gone"] })).toEqual(
      before,
    );
    expect(before.map((node) => node.path)).toEqual(["a", "link"]);
    execFileSync("chmod", ["+x", join(root, "a")]);
    const executable = hashInputFiles({ index: freshIndex(root), paths: ["a"] });
    expect(executable).toMatchObject([{ kind: "file", executable: true }]);
    writeFileSync(join(root, "a"), "2");
    expect(hashInputFiles({ index: freshIndex(root), paths: ["a"] })).not.toEqual(executable);
  });

  it("refuses names that are not UTF-8, in place of not seeing the file", () => {
    for (const bad of [
      [0x66, 0xff],
      [0xff, 0x2f, 0x66],
    ]) {
      const root = temporaryWorkspace({ a: "1" });
      const place = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(bad)]);
      if (bad.includes(0x2f)) mkdirSync(place.subarray(0, -2));
      writeFileSync(place, "x");
      const index = freshIndex(root);
      const { files } = selectInputs({ index, projectDirectory: "", patterns: ["**"] });
      const refused = expect.objectContaining({ code: "KEY_INPUT_UNREADABLE" });
      expect(() => hashInputFiles({ index, paths: files })).toThrow(refused);
      const set = { index, files, dependencies: [], projectDirectory: "" };
      expect(() => createInputSet({ ...set, digestFunction: "sha256" })).toThrow(refused);
    }
  });

  it("refuses what lies too deep for a path, in place of not seeing it", () => {
    const root = temporaryWorkspace({ a: "1" });
    const program = `for (let depth = 0; depth < 22; depth += 1) { fs.mkdirSync("${"d".repeat(200)}"); process.chdir("${"d".repeat(200)}"); } fs.writeFileSync("x", "");`;
    execFileSync(process.execPath, ["-e", program], { cwd: root });
    try {
      const index = freshIndex(root);
      const { files } = selectInputs({ index, projectDirectory: "", patterns: ["**"] });
      const refused = expect.objectContaining({
        code: "KEY_INPUT_UNREADABLE",
        message: expect.stringContaining("its path is too long"),
      });
      expect(() => hashInputFiles({ index, paths: files })).toThrow(refused);
      const set = { index, files, dependencies: [], projectDirectory: "" };
      expect(() => createInputSet({ ...set, digestFunction: "sha256" })).toThrow(refused);
    } finally {
      // Node's own removal gives up where paths are too long.
      execFileSync("rm", ["-rf", root]);
    }
  });

  it("refuses a link whose target is not UTF-8: another target would be the same key", () => {
    const root = temporaryWorkspace({ a: "1" });
    symlinkSync(Buffer.from([0x61, 0xff]), join(root, "link"));
    const refused = expect.objectContaining({
      code: "KEY_INPUT_UNREADABLE",
      message: expect.stringContaining("cannot hash link: the target of the link"),
    });
    expect(() => select(root, ["link"])).toThrow(refused);
    expect(() => hashInputFiles({ index: freshIndex(root), paths: ["link"] })).toThrow(refused);
  });

  it("says which file cannot be read", () => {
    const root = temporaryWorkspace({ a: "1" });
    const index = freshIndex(root);
    index.stat("a");
    rmSync(join(root, "a"));
    mkdirSync(join(root, "a"));
    expect(() => hashInputFiles({ index, paths: ["a"] })).toThrow(
      expect.objectContaining({
        code: "KEY_INPUT_UNREADABLE",
        message: expect.stringContaining("cannot hash a:"),
      }),
    );
  });
});
