import { checksum, hashText, sealText } from "@cuenv/digest";
import { mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type Files,
  freshIndex,
  temporaryWorkspace,
  writeFiles,
} from "../test/temporary-workspace.ts";
import { createInputMemo, type InputMemo } from "./input-memo.ts";
import { createInputSet } from "./input-set.ts";
import { selectInputs } from "./select-inputs.ts";
import type { SelectionRequest } from "./selection.ts";

const files: Files = {
  ".gitignore": "dist\n",
  "p/a.txt": "",
  "p/src/b.ts": "",
  "p/src/deep/c.ts": "",
  "q/d.ts": "",
  top: "",
  link: { link: "q/d.ts" },
};

/** A second for each of 200 changes is too much for two numbers. */
const isMutated = process.env["CUENV_FRESH_PROCESSES"] !== undefined;

function request(
  root: string,
  patterns: readonly string[] | undefined,
  more: Partial<SelectionRequest> = {},
): SelectionRequest {
  return { index: freshIndex(root), projectDirectory: "p", patterns, ...more };
}

/** A memo as the next process finds it. */
function remembered(root: string, patterns: readonly string[] | undefined): InputMemo {
  const memo = createInputMemo();
  const asked = request(root, patterns);
  memo.remember(asked, selectInputs(asked));
  return createInputMemo(() => memo.serialize());
}

describe("createInputMemo", () => {
  it("gives the remembered selection back, in another process too", () => {
    const root = temporaryWorkspace(files);
    for (const patterns of [undefined, ["src"], ["*.txt", "//top", "//link", "nope"], [], ["//"]]) {
      const asked = request(root, patterns);
      expect(remembered(root, patterns).reuse(asked)).toEqual(selectInputs(asked));
    }
  });

  const changes: readonly (readonly [name: string, change: (root: string) => void])[] = [
    ["a file appears", (root) => writeFileSync(join(root, "p/src/new.ts"), "")],
    ["a file goes", (root) => unlinkSync(join(root, "p/src/b.ts"))],
    ["a folder appears", (root) => writeFiles(root, { "p/src/more/x.ts": "" })],
    [
      "a file becomes a folder",
      (root) => {
        unlinkSync(join(root, "p/src/b.ts"));
        mkdirSync(join(root, "p/src/b.ts"));
      },
    ],
    ["a .gitignore changes", (root) => writeFileSync(join(root, ".gitignore"), "deep\n")],
    ["a .gitignore appears", (root) => writeFileSync(join(root, "p/.gitignore"), "deep\n")],
    ["a named file goes", (root) => unlinkSync(join(root, "top"))],
    ["a missing named file appears", (root) => writeFileSync(join(root, "p/nope"), "")],
    [
      "a link points elsewhere",
      (root) => {
        unlinkSync(join(root, "link"));
        symlinkSync("top", join(root, "link"));
      },
    ],
  ];
  it.each(changes)("selects anew when %s", (_name, change) => {
    const root = temporaryWorkspace(files);
    const patterns = ["src/**", "//top", "//link", "nope"];
    const memo = remembered(root, patterns);
    change(root);
    const asked = request(root, patterns);
    expect(memo.reuse(asked)).toBeUndefined();
    memo.remember(asked, selectInputs(asked));
    expect(createInputMemo(() => memo.serialize()).reuse(request(root, patterns))).toEqual(
      selectInputs(asked),
    );
  });

  it("selects anew when a .gitignore came after it was looked for, and before its folder was listed", () => {
    const root = temporaryWorkspace(files);
    const one = request(root, ["src/**"]);
    selectInputs(one);
    writeFileSync(join(root, "p/.gitignore"), "deep\n");
    // Of the same turn of the index: no task has run since.
    const asked = request(root, ["**"], { index: one.index });
    const memo = createInputMemo();
    memo.remember(asked, selectInputs(asked));
    const next = request(root, ["**"]);
    const found = createInputMemo(() => memo.serialize()).reuse(next) ?? selectInputs(next);
    expect(found.files).toEqual(["p/.gitignore", "p/a.txt", "p/src/b.ts"]);
  });

  it("keeps a selection when only contents change", () => {
    const root = temporaryWorkspace(files);
    const memo = remembered(root, undefined);
    writeFileSync(join(root, "p/src/b.ts"), "changed");
    writeFileSync(join(root, "q/other"), "");
    expect(memo.reuse(request(root, undefined))).toBeDefined();
  });

  it("does not mistake one request for another", () => {
    const root = temporaryWorkspace(files);
    const memo = remembered(root, ["src"]);
    expect(memo.reuse(request(root, ["src", "a.txt"]))).toBeUndefined();
    expect(memo.reuse(request(root, undefined))).toBeUndefined();
    expect(memo.reuse(request(root, ["src"], { projectDirectory: "" }))).toBeUndefined();
    expect(memo.reuse(request(root, ["src"], { ignorePatterns: ["x"] }))).toBeUndefined();
    expect(memo.reuse(request(root, ["src"], { extraPatterns: ["x"] }))).toBeUndefined();
    expect(memo.reuse(request(root, ["src"], { excludePaths: ["p"] }))).toBeUndefined();
    const excludeOutputs = [{ projectDirectory: "p", patterns: ["src"] }];
    expect(memo.reuse(request(root, ["src"], { excludeOutputs }))).toBeUndefined();
  });

  it("keeps what an earlier process remembered, and is not written when nothing is new", () => {
    const root = temporaryWorkspace(files);
    const memo = remembered(root, ["src"]);
    expect(memo.serialize()).toBeUndefined();
    const asked = request(root, ["a.txt"]);
    memo.remember(asked, selectInputs(asked));
    const next = createInputMemo(() => memo.serialize());
    expect(next.reuse(request(root, ["src"]))).toBeDefined();
    expect(next.reuse(request(root, ["a.txt"]))).toBeDefined();
  });

  it("tells requests apart by every field, and takes a field that is empty for one that is not there", () => {
    const root = temporaryWorkspace(files);
    const memo = createInputMemo();
    const empty = { extraPatterns: [], ignorePatterns: [], excludeOutputs: [], excludePaths: [] };
    const outputs = (projectDirectory: string, pattern: string): Partial<SelectionRequest> => ({
      excludeOutputs: [{ projectDirectory, patterns: [pattern] }],
    });
    const requests = [
      request(root, ["src"]),
      request(root, ["src", "x"]),
      request(root, undefined),
      request(root, []),
      request(root, ["src"], { projectDirectory: "q" }),
      request(root, ["src"], { extraPatterns: ["x"] }),
      request(root, ["src"], { extraPatterns: ["y"] }),
      request(root, ["src"], { ignorePatterns: ["x"] }),
      request(root, ["src"], { ignorePatterns: ["y"] }),
      request(root, ["src"], { excludePaths: ["x"] }),
      request(root, ["src"], { excludePaths: ["y"] }),
      request(root, ["src"], outputs("p", "x")),
      request(root, ["src"], outputs("p", "y")),
      request(root, ["src"], outputs("q", "x")),
    ];
    for (const [at, asked] of requests.entries()) {
      expect(memo.reuse(asked), `${at}`).toBeUndefined();
      memo.remember(asked, { files: [`f${at}`], problems: [], checks: [] });
    }
    for (const each of [memo, createInputMemo(() => memo.serialize())])
      for (const [at, asked] of requests.entries())
        expect(each.reuse(asked)?.files).toEqual([`f${at}`]);
    expect(memo.reuse(request(root, ["src"], empty))?.files).toEqual(["f0"]);
  });

  it("is as small as what differs: facts and folders once, old selections replaced", () => {
    const root = temporaryWorkspace(files);
    const memo = createInputMemo();
    const fact = { kind: "path", path: "p/some/long/folder", found: "missing" } as const;
    const names = Array.from({ length: 50 }, (_, at) => `p/some/long/folder/f${at}`);
    for (const pattern of ["a", "b", "c"])
      memo.remember(request(root, [pattern]), { files: names, problems: [], checks: [fact] });
    const text = memo.serialize() ?? "";
    // Once as a fact, and once for the files of each of three.
    expect(text.split("p/some/long/folder")).toHaveLength(5);
    const later = createInputMemo(() => text);
    later.remember(request(root, ["a"]), { files: ["new"], problems: [], checks: [fact] });
    const again = later.serialize() ?? "";
    expect(again.split("p/some/long/folder")).toHaveLength(4);
    expect(createInputMemo(() => again).reuse(request(root, ["a"]))?.files).toEqual(["new"]);
    expect(createInputMemo(() => again).reuse(request(root, ["b"]))?.files).toEqual(names);
  });

  it.skipIf(isMutated)("forgets the oldest beyond its limits", () => {
    const root = temporaryWorkspace(files);
    const memo = createInputMemo();
    const none = { files: [], problems: [], checks: [] };
    for (let at = 0; at <= 10_000; at += 1) memo.remember(request(root, [`f${at}`]), none);
    for (let at = 0; at <= 20_000; at += 1) memo.rememberRoot(`r${at}`, hashText("sha256", "x"));
    const later = createInputMemo(() => memo.serialize());
    expect(later.reuse(request(root, ["f0"]))).toBeUndefined();
    expect(later.reuse(request(root, ["f1"]))).toEqual(none);
    expect(later.root("r0")).toBeUndefined();
    expect(later.root("r1")).toEqual(hashText("sha256", "x"));
  });

  it("keeps what it finds out itself before what it read, and is nothing for the next run without a seal", () => {
    const root = temporaryWorkspace(files);
    const memo = remembered(root, ["src"]);
    memo.remember(request(root, ["src"]), { files: ["other"], problems: [], checks: [] });
    expect(memo.reuse(request(root, ["src"]))?.files).toEqual(["other"]);
    const open = createInputMemo(
      () => undefined,
      () => undefined,
    );
    open.rememberRoot("x", hashText("sha256", "x"));
    expect(open.serialize()).toBeUndefined();
    const roots = createInputMemo();
    roots.rememberRoot("x", hashText("sha256", "x"));
    roots.remember(request(root, ["a"]), { files: [], problems: [], checks: [] });
    expect(createInputMemo(() => roots.serialize()).root("x")).toBeDefined();
    expect(
      createInputMemo(
        () => roots.serialize(),
        () => undefined,
      ).root("x"),
    ).toBeUndefined();
  });

  it("does not hold where something else is what was a link or a file", () => {
    const root = temporaryWorkspace(files);
    const memo = createInputMemo();
    const { hash } = hashText("sha256", "");
    const checks = {
      link: { kind: "link", path: "link", target: "q/d.ts" },
      content: { kind: "content", path: "top", hash },
      goneLink: { kind: "link", path: "gone", target: "" },
      goneContent: { kind: "content", path: "gone", hash },
      fileForLink: { kind: "link", path: "top", target: "" },
      linkForFile: { kind: "content", path: "link", hash },
      folderForFile: { kind: "content", path: "p", hash },
    } as const;
    for (const [name, check] of Object.entries(checks))
      memo.remember(request(root, [name]), { files: [], problems: [], checks: [check] });
    for (const each of [memo, createInputMemo(() => memo.serialize())])
      for (const name of Object.keys(checks))
        expect([name, each.reuse(request(root, [name])) !== undefined]).toEqual([
          name,
          name === "link" || name === "content",
        ]);
  });

  it("is empty when its text is damaged or of another version", () => {
    const root = temporaryWorkspace(files);
    const good = remembered(root, ["src"]);
    good.rememberRoot("x", hashText("sha256", "x"));
    const text = good.serialize() ?? "";
    const flipped = text.replace("p/src", "p/sRc");
    const other = text.slice(65).replace(/"version":\d+/, '"version":1');
    const signed = `${hashText("sha256", other).hash}\n${other}`;
    const damaged = ["", "null", "{", text.slice(0, 500), text.slice(1), flipped, signed];
    expect(createInputMemo(() => text).root("x")).toEqual(hashText("sha256", "x"));
    const facts = JSON.parse(text.slice(65)) as { facts: string[] };
    for (const broken of [
      { ...facts, facts: facts.facts.slice(0, 1) },
      { ...facts, facts: facts.facts.slice(0, 2) },
      { ...facts, facts: facts.facts.map(() => "nothing") },
    ])
      expect(
        createInputMemo(() => sealText(JSON.stringify(broken), checksum)).reuse(
          request(root, ["src"]),
        ),
      ).toBeUndefined();
    for (const each of damaged) {
      const memo = createInputMemo(() => each);
      expect(memo.reuse(request(root, ["src"]))).toBeUndefined();
      expect(memo.root("x")).toBeUndefined();
    }
  });
});

describe("createInputSet", () => {
  it("takes the root from the memo, and the same root without", () => {
    const root = temporaryWorkspace(files);
    const memo = createInputMemo();
    const make = (with_: InputMemo | undefined) =>
      createInputSet({
        index: freshIndex(root),
        digestFunction: "sha256",
        files: selectInputs(request(root, ["**", "//link"])).files,
        dependencies: [
          {
            task: "d",
            projectDirectory: "p",
            patterns: ["dist"],
            nodes: [
              { kind: "file", path: "p/dist/o", digest: hashText("sha256", "o"), executable: true },
            ],
          },
        ],
        projectDirectory: "p",
        memo: with_,
      });
    const plain = make(undefined);
    expect(make(memo).root).toEqual(plain.root);
    const later = createInputMemo(() => memo.serialize());
    const set = make(later);
    expect(set.root).toEqual(plain.root);
    expect(later.serialize()).toBeUndefined();
    expect(set.tree().root).toEqual(plain.root);
    expect(set.nodes().map((node) => node.path)).toEqual([
      "link",
      "p/a.txt",
      "p/dist/o",
      "p/src/b.ts",
      "p/src/deep/c.ts",
      "q/d.ts",
    ]);
    expect(set.producers()).toEqual({ "p/dist/o": "d" });
    writeFileSync(join(root, "p/a.txt"), "changed");
    expect(make(later).root).not.toEqual(plain.root);
  });

  it("stays what it was when files change after it was made", () => {
    const root = temporaryWorkspace(files);
    const index = freshIndex(root);
    const set = createInputSet({
      index,
      digestFunction: "sha256",
      files: ["p/a.txt", "top"],
      dependencies: [],
      projectDirectory: "",
      memo: createInputMemo(),
    });
    rmSync(join(root, "top"));
    writeFileSync(join(root, "p/a.txt"), "changed");
    index.invalidate("");
    expect(set.ownNodes()).toHaveLength(2);
    expect(set.tree().root).toEqual(set.root);
  });
});
