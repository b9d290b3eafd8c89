import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { lineDiff } from "./line-diff.ts";
import { migrateSettingsFile } from "./migrate-settings-file.ts";
import { applyEdits } from "./text-edit.ts";

const folder = mkdtempSync(join(tmpdir(), "cuenv-diff-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("lineDiff", () => {
  it("is a patch that makes the new text of the old one", () => {
    const text = fc
      .tuple(fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 30 }), fc.boolean())
      .map(([lines, ends]) => lines.map((line) => `${line}\n`).join("") + (ends ? "" : "end"));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const diff = lineDiff(before, after, "f");
        writeFileSync(join(folder, "f"), before);
        if (diff !== "")
          execFileSync("patch", ["--quiet", "--posix", "f"], { cwd: folder, input: diff });
        expect(readFileSync(join(folder, "f"), "utf8"), diff).toBe(after);
      }),
      { numRuns: 150 },
    );
  });

  it("shows three lines around a change, and says where it is", () => {
    const before = Array.from({ length: 20 }, (_, index) => `line ${index + 1}\n`).join("");
    expect(lineDiff(before, before.replace("line 10\n", "new\n"), "f")).toBe(
      "--- f\n+++ f\n@@ -7,7 +7,7 @@\n line 7\n line 8\n line 9\n-line 10\n+new\n line 11\n line 12\n line 13\n",
    );
  });
});

describe("applyEdits", () => {
  it("refuses edits that overlap", () => {
    const edits = [
      { start: 0, end: 3, text: "x" },
      { start: 2, end: 4, text: "y" },
    ];
    expect(() => applyEdits("abcdef", edits)).toThrow(RangeError);
  });
});

describe("migrateSettingsFile", () => {
  it.each([
    [
      "json",
      "project",
      '{\n  "base_dir": "/c",\n  "inline_threshold": 1\n}\n',
      '{\n  "cacheDir": "/c"\n}\n',
    ],
    ["json", "project", '{"mode": "off", "inlineThreshold": 1}', '{"defaultMode": "off"}'],
    [
      "json",
      "project",
      '{\n  "storage": {"a": 1},\n  "maxSize": "1GiB"\n}',
      '{\n  "maxSize": "1GiB"\n}',
    ],
    [
      "json",
      "user",
      '{"cache": {"mode": "off"}, "mode": 1}',
      '{"cache": {"defaultMode": "off"}, "mode": 1}',
    ],
    [
      "yaml",
      "project",
      "# c\nbase_dir: /c # d\nstorage:\n  a: 1\n  b: 2\n\n# e\nmode: off\n",
      "# c\ncacheDir: /c # d\n\n# e\ndefaultMode: off\n",
    ],
    [
      "yaml",
      "user",
      "cache:\n  mode: read\n  inline_threshold: 3\nmode: x\n",
      "cache:\n  defaultMode: read\nmode: x\n",
    ],
  ] as const)("row 40: rewrites %s of the %s: %j", (format, from, before, after) => {
    const { edits, left } = migrateSettingsFile({ text: before, format, from });
    expect([applyEdits(before, edits), left]).toEqual([after, []]);
  });

  it("leaves what it cannot take out safely", () => {
    const text = "{mode: read, storage: {a: 1}}\n";
    const { edits, left } = migrateSettingsFile({ text, format: "yaml", from: "project" });
    expect(applyEdits(text, edits)).toBe("{defaultMode: read, storage: {a: 1}}\n");
    expect(left).toMatchObject([{ form: "storage" }]);
  });
});
