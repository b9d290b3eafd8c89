import { describe, expect, it } from "vitest";
import { CuenvError } from "./cuenv-error.ts";
import { errorTable, exitCodes } from "./error-table.ts";

describe("CuenvError", () => {
  it("takes its exit code from the table", () => {
    expect(new CuenvError("USAGE", "x").exitCode).toBe(2);
  });

  it("keeps cause, hint, place and further problems", () => {
    const cause = new Error("EACCES");
    const other = new CuenvError("USAGE", "second");
    const location = { file: "/p/env.cue", line: 3, column: 7 };
    const error = new CuenvError("USAGE", "first", {
      cause,
      hint: "do this",
      location,
      others: [other],
    });
    expect(error).toMatchObject({
      cause,
      hint: "do this",
      location,
      others: [other],
      name: "CuenvError",
    });
  });

  it("never ends with a code that a task's own could be mistaken for: 0 or 1", () => {
    for (const row of Object.values(errorTable)) expect(exitCodes[row.exit]).toBeGreaterThan(1);
  });
});
