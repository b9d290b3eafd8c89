import { describe, expect, it } from "vitest";
import { nearName } from "./near-name.ts";

describe("nearName", () => {
  const fields = ["tasks", "inputs", "outputs", "command", "cacheKey"];

  it("finds what was meant", () => {
    const slips = {
      tsaks: "tasks",
      input: "inputs",
      ouputs: "outputs",
      comand: "command",
      cachekey: "cacheKey",
    };
    for (const [typed, meant] of Object.entries(slips))
      expect(nearName(typed, fields), typed).toBe(meant);
  });

  it("does not guess when nothing is near", () => {
    for (const typed of ["", "x", "banana", "description"])
      expect(nearName(typed, fields), typed).toBeUndefined();
  });
});
