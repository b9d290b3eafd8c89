import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

describe("generated code", () => {
  it("is what the .proto files give", () => {
    const script = join(import.meta.dirname, "../generate.mjs");
    const run = (): string =>
      execFileSync(process.execPath, [script, "--check"], { encoding: "utf8" });
    expect(run).not.toThrow();
  });
});
