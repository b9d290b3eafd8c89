import { hashText } from "@cuenv/digest";
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

function request(
  root: string,
  patterns: readonly string[] | undefined,
  more: Partial<SelectionRequest> = {},
): SelectionRequest {
  return { index: freshIndex(root), projectDirectory: "p", patterns, ...more };
}

/** A memo as the next process finds it. */
function remembered(root: string, patterns: readonly string[] | undefined): InputMemo {
  const memo = createInputMemo(undefined);
  const asked = request(root, patterns);
  memo.remember(asked, selectInputs(asked));
  return createInputMemo(memo.serialize());
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
    expect(createInputMemo(memo.serialize()).reuse(request(root, patterns))).toEqual(
      selectInputs(asked),
    );
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
    const next = createInputMemo(memo.serialize());
    expect(next.reuse(request(root, ["src"]))).toBeDefined();
    expect(next.reuse(request(root, ["a.txt"]))).toBeDefined();
  });

  it("is empty when its text is damaged or of another version", () => {
    const root = temporaryWorkspace(files);
    const good = remembered(root, ["src"]);
    good.rememberRoot("x", hashText("sha256", "x"));
    const text = good.serialize() ?? "";
    const flipped = text.replace("p/src", "p/sRc");
    const other = text.slice(65).replace('"version":1', '"version":0');
    const signed = `${hashText("sha256", other).hash}\n${other}`;
    const damaged = ["", "null", "{", text.slice(0, 500), text.slice(1), flipped, signed];
    expect(createInputMemo(text).root("x")).toEqual(hashText("sha256", "x"));
    for (const each of damaged) {
      const memo = createInputMemo(each);
      expect(memo.reuse(request(root, ["src"]))).toBeUndefined();
      expect(memo.root("x")).toBeUndefined();
    }
  });
});

describe("createInputSet", () => {
  it("takes the root from the memo, and the same root without", () => {
    const root = temporaryWorkspace(files);
    const memo = createInputMemo(undefined);
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
    const later = createInputMemo(memo.serialize());
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
      memo: createInputMemo(undefined),
    });
    rmSync(join(root, "top"));
    writeFileSync(join(root, "p/a.txt"), "changed");
    index.invalidate("");
    expect(set.ownNodes()).toHaveLength(2);
    expect(set.tree().root).toEqual(set.root);
  });
});
