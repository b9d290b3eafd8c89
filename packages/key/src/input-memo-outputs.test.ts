import * as fc from "fast-check";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { freshIndex, temporaryWorkspace, writeFiles } from "../test/temporary-workspace.ts";
import { createInputMemo, type InputMemo } from "./input-memo.ts";
import { selectInputs } from "./select-inputs.ts";
import type { SelectionRequest } from "./selection.ts";

function request(root: string, outputs: readonly string[]): SelectionRequest {
  const excludeOutputs = [{ projectDirectory: "p", patterns: outputs }];
  return { index: freshIndex(root), projectDirectory: "p", patterns: undefined, excludeOutputs };
}

function nextProcess(memo: InputMemo): InputMemo {
  return createInputMemo(() => memo.serialize());
}

/** What may become of a name beside the sources: an output or not, by the outputs of the request. */
const names = ["dist", "dist2", "out.txt", "a b", "lib", ".gitignore"];
const becomes = ["absent", "file", "folder"] as const;

/** As a `.gitignore`, a file leaves out a source. */
function make(path: string, kind: (typeof becomes)[number]): void {
  rmSync(path, { recursive: true, force: true });
  if (kind === "file") writeFileSync(path, "b.txt\n");
  if (kind !== "folder") return;
  mkdirSync(path);
  writeFileSync(`${path}/inside`, "x");
}

describe("createInputMemo, of outputs that come and go", () => {
  it("gives the same selection as a walk, whatever comes, goes, or becomes something else", () => {
    const root = temporaryWorkspace({ "p/src/a.ts": "", "p/b.txt": "" });
    const step = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...becomes));
    const outputs = fc.subarray(["dist", "out.txt", "a b", "lib/**", "l*", "dist2/", ".gitignore"]);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), outputs, (steps, declared) => {
        for (const name of names) make(join(root, "p", name), "absent");
        let memo = createInputMemo();
        const first = request(root, declared);
        memo.remember(first, selectInputs(first));
        for (const [name, kind] of steps) {
          memo = createInputMemo(() => memo.serialize());
          make(join(root, "p", name), kind);
          const asked = request(root, declared);
          const walked = selectInputs(asked);
          const { files, problems } = memo.reuse(asked) ?? walked;
          expect([files, problems]).toEqual([walked.files, walked.problems]);
          memo.remember(asked, walked);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("keeps a selection while outputs go and come back, and is written once when they are there first", () => {
    const root = temporaryWorkspace({ "p/src/a.ts": "" });
    const asked = request(root, ["dist"]);
    const memo = createInputMemo();
    memo.remember(asked, selectInputs(asked));
    writeFiles(root, { "p/dist/x.js": "" });
    const built = nextProcess(memo);
    expect(built.reuse(request(root, ["dist"]))?.files).toEqual(["p/src/a.ts"]);
    const text = built.serialize();
    expect(text).toBeDefined();
    const later = createInputMemo(() => text);
    expect(later.reuse(request(root, ["dist"]))).toBeDefined();
    expect(later.serialize()).toBeUndefined();
    rmSync(`${root}/p/dist`, { recursive: true });
    const deleted = createInputMemo(() => text);
    expect(deleted.reuse(request(root, ["dist"]))).toBeDefined();
    expect(deleted.serialize()).toBeUndefined();
    expect(existsSync(`${root}/p/dist`)).toBe(false);
  });

  it("selects anew when a source comes with the outputs", () => {
    const root = temporaryWorkspace({ "p/src/a.ts": "" });
    const asked = request(root, ["dist"]);
    const memo = createInputMemo();
    memo.remember(asked, selectInputs(asked));
    writeFiles(root, { "p/dist/x.js": "", "p/new.ts": "" });
    expect(nextProcess(memo).reuse(request(root, ["dist"]))).toBeUndefined();
  });

  it("keeps facts apart whose paths and values have spaces", () => {
    const root = temporaryWorkspace({ "a b/c": "", "a/b": "" });
    const memo = createInputMemo();
    const outputs = request(root, []);
    const selection = (path: string, target: string) =>
      ({ files: [], problems: [], checks: [{ kind: "link", path, target }] }) as const;
    memo.remember({ ...outputs, patterns: ["1"] }, selection("b c", "a"));
    memo.remember({ ...outputs, patterns: ["2"] }, selection("c", "a b"));
    const facts = JSON.parse((memo.serialize() ?? "").slice(65)) as { facts: string[] };
    expect(facts.facts).toEqual(["link", "b c", "a", "link", "c", "a b"]);
  });
});
