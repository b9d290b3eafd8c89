import { describe, expect, it } from "vitest";
import type { EvaluatedPackage } from "../evaluated-package.ts";
import { normalizeProject } from "./normalize-project.ts";

function warningsOf(value: object): readonly string[] {
  const evaluated = { value } as unknown as EvaluatedPackage;
  return normalizeProject(evaluated, { projectDirectory: "" }).warnings.map(
    ({ message }) => message,
  );
}

describe("what stands beside tasks in a file", () => {
  it("is told where it would bring something along before tasks run", () => {
    const bun = { id: "bun.workspace", autoAssociate: { command: ["bun", "bunx"] } };
    expect(warningsOf({ ci: { contributors: [{ id: "nix" }, bun] } })).toEqual([
      "`ci.contributors` has no effect in this version: nothing is installed before tasks that run bun, bunx",
    ]);
  });

  it.each([
    {},
    { ci: {} },
    { ci: { contributors: [] } },
    { ci: { contributors: [{ id: "nix" }, "x", null] } },
    { ci: { contributors: [{ autoAssociate: true }, { autoAssociate: { command: "bun" } }] } },
    { ci: { contributors: { sccache: { setup: [] } } } },
  ])("is not where it says nothing of tasks that run here: %j", (value) => {
    expect(warningsOf(value)).toEqual([]);
  });
});
