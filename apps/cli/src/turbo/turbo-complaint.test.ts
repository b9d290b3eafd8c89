import { describe, expect, it } from "vitest";
import { turboComplaint } from "./turbo-complaint.ts";

describe("what turbo complains of", () => {
  it("has the error, its cause and the place of it, and no frame", () => {
    const report = [
      " WARNING  Something else.",
      "turbo_json_parse_error",
      "",
      "  x Failed to parse turbo.json.",
      "  `->   x Found an unknown key `outpts`.",
      "         ,-[turbo.json:1:20]",
      '       1 | {"tasks":{"build":{"outpts":[]}}}',
      "         :                    ^^^^^^^^",
      "         `----",
      "",
    ].join("\n");
    expect(turboComplaint(report)).toBe(
      "Failed to parse turbo.json: Found an unknown key `outpts`. (turbo.json:1:20)",
    );
  });

  it("has lines that were broken as one, and a cause once", () => {
    const broken =
      "  x Cannot set `cache` and others (`force`,\n  | `remoteOnly`) at the same time.\n";
    expect(turboComplaint(broken)).toBe(
      "Cannot set `cache` and others (`force`, `remoteOnly`) at the same time.",
    );
    const path =
      "  x Unable to read: failed to open `/w/\n  | a.json`\n  |-> failed to open `/w/a.json`\n  `-> No such file\n";
    expect(turboComplaint(path)).toBe("Unable to read: failed to open `/w/a.json`: No such file");
    const cause =
      "  x Could not resolve workspace.\n  `-> Missing `packageManager`\n      in package.json";
    expect(turboComplaint(cause)).toBe(
      "Could not resolve workspace: Missing `packageManager` in package.json",
    );
  });

  it("is the last line where it is no report", () => {
    expect(turboComplaint("one\ntwo\n\n")).toBe("two");
    expect(turboComplaint("")).toBe("");
  });
});
