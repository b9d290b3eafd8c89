import { type DigestFunction, hashText } from "@cuenv/digest";
import { chmodSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Files, freshIndex, temporaryWorkspace } from "../test/temporary-workspace.ts";
import { createInputMemo } from "./input-memo.ts";
import { createInputSet, type InputSetRequest } from "./input-set.ts";
import type { InputNode } from "./key-inputs.ts";
import type { DependencyOutputs } from "./merge-dependency-outputs.ts";

const digest = (text: string) => hashText("sha256", text);
const file = (path: string, text: string, executable = false): InputNode => ({
  kind: "file",
  path,
  digest: digest(text),
  executable,
});
const outputs = (nodes: readonly InputNode[], patterns = ["dist"]): DependencyOutputs => ({
  task: "lib",
  projectDirectory: "lib",
  patterns,
  nodes,
});
const files: Files = { "p/a": "1", "p/b": "2", "p/link": { link: "a" }, "lib/dist/x": "stale" };

type Change = Partial<InputSetRequest> & { readonly edit?: (root: string) => void };

/** Each of them gives other inputs than all the others. */
const changes: readonly Change[] = [
  {},
  { files: ["p/a"] },
  { files: ["p/a", "p/link"] },
  {
    files: ["p/a", "p/b", "p/link", "p/gone"],
    edit: (root) => writeFileSync(join(root, "p/gone"), "3"),
  },
  { edit: (root) => writeFileSync(join(root, "p/a"), "3") },
  { edit: (root) => chmodSync(join(root, "p/a"), 0o755) },
  { edit: (root) => chmodSync(join(root, "p/b"), 0o755) },
  { edit: (root) => rmSync(join(root, "p/a")) },
  { edit: (root) => rmSync(join(root, "p/b")) },
  {
    edit: (root) => {
      rmSync(join(root, "p/link"));
      symlinkSync("b", join(root, "p/link"));
    },
  },
  {
    edit: (root) => {
      rmSync(join(root, "p/a"));
      symlinkSync("-", join(root, "p/a"));
    },
  },
  { dependencies: [outputs([file("lib/dist/x", "x")])] },
  { dependencies: [outputs([file("lib/dist/x", "y")])] },
  { dependencies: [outputs([file("lib/dist/x", "x", true)])] },
  { dependencies: [outputs([file("lib/dist/z", "x")])] },
  { dependencies: [outputs([{ kind: "symlink", path: "lib/dist/x", target: "y" }])] },
  { dependencies: [outputs([{ kind: "symlink", path: "lib/dist/x", target: "z" }])] },
  { dependencies: [outputs([{ kind: "directory", path: "lib/dist/x" }])] },
  { dependencies: [outputs([{ kind: "directory", path: "lib/dist/y" }])] },
  { dependencies: [outputs([file("lib/dist/x", "x"), file("lib/dist/y", "y")])] },
  { files: ["lib/dist/x"], dependencies: [outputs([])] },
  { files: ["lib/dist/x"], dependencies: [outputs([], ["other"])] },
  {
    files: ["p/a", "lib/dist/x"],
    dependencies: [{ ...outputs([]), projectDirectory: "p" }],
  },
  { dependencies: [outputs([file("p/dist/q", "q"), file("lib/x", "x")])] },
  {
    dependencies: [outputs([file("p/dist/q", "q"), file("lib/x", "x")])],
    ignorePatterns: ["dist"],
  },
  {
    dependencies: [outputs([file("p/dist/q", "q"), file("lib/x", "x")])],
    ignorePatterns: ["dist"],
    projectDirectory: "lib",
    files: ["p/a"],
  },
];

function requestOf(change: Change, digestFunction: DigestFunction = "sha256"): InputSetRequest {
  const { edit, ...rest } = change;
  const root = temporaryWorkspace(files);
  edit?.(root);
  return {
    index: freshIndex(root),
    digestFunction,
    files: ["p/a", "p/b", "p/link"],
    dependencies: [],
    projectDirectory: "p",
    ...rest,
  };
}

describe("the root of a task's inputs", () => {
  it("is what it is without a memo, whatever other inputs a memo has seen", () => {
    const memo = createInputMemo();
    const roots = new Map<string, Change>();
    for (const change of changes) {
      const plain = createInputSet(requestOf(change));
      for (const time of ["first", "again"])
        expect([time, change, createInputSet({ ...requestOf(change), memo }).root]).toEqual([
          time,
          change,
          plain.root,
        ]);
      roots.set(plain.root.hash, change);
    }
    // As many as there are changes, but for those that only look different: a link to nothing in a folder that is none's.
    expect(roots.size).toBeGreaterThanOrEqual(changes.length - 3);
    const blake = createInputSet(requestOf({}, "blake3")).root;
    expect(createInputSet({ ...requestOf({}, "blake3"), memo }).root).toEqual(blake);
  });

  it("comes from the memo the second time", () => {
    const memo = createInputMemo();
    let asked = 0;
    let made = 0;
    const counted = {
      ...memo,
      root: (identity: string) => {
        asked += 1;
        expect(identity).toMatch(/^[\w-]{43}$/);
        return memo.root(identity);
      },
      rememberRoot: (identity: string, root: Parameters<typeof memo.rememberRoot>[1]) => {
        made += 1;
        memo.rememberRoot(identity, root);
      },
    };
    const shared = [file("lib/dist/x", "x")];
    for (let times = 0; times < 3; times += 1)
      createInputSet({ ...requestOf({}), memo: counted, dependencies: [outputs(shared)] });
    expect([asked, made]).toEqual([3, 1]);
  });

  it("does not depend on the list of what is ignored where nothing is merged", () => {
    const memo = createInputMemo();
    const one = createInputSet({ ...requestOf({}), memo });
    const other = createInputSet({ ...requestOf({ ignorePatterns: ["x"] }), memo });
    expect(other.root).toEqual(one.root);
  });

  it("stays what it was when files change afterwards, and so do the nodes", () => {
    const request = requestOf({});
    const set = createInputSet(request);
    writeFileSync(join(request.index.root, "p/a"), "changed");
    request.index.invalidate("");
    expect(set.tree().root).toEqual(set.root);
    expect(set.ownNodes()).toEqual([
      file("p/a", "1"),
      file("p/b", "2"),
      { kind: "symlink", path: "p/link", target: "a" },
    ]);
    expect(set.nodes()).toBe(set.nodes());
  });

  it("refuses a name that is not UTF-8, and says what to do", () => {
    const bad = requestOf({ files: ["p/\uFFFD"] });
    expect(() => createInputSet(bad)).toThrow(
      expect.objectContaining({
        code: "KEY_INPUT_UNREADABLE",
        message: 'cannot hash "p/\uFFFD": its name is not valid UTF-8',
        hint: "Rename the file, or leave it out with ignoreInputs.",
      }),
    );
  });
});
