import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectsForTests } from "../test/projects.ts";
import { loadEvaluatorCode } from "./evaluator-code.ts";
import { packageFile } from "./package-file.ts";

const artifact = packageFile("artifact/evaluator.wasm.zst");

describe("loadEvaluatorCode", () => {
  const projects = projectsForTests();

  it("gives bytes whose buffer can be given to a thread", async () => {
    const code = await loadEvaluatorCode(artifact);
    const given = structuredClone(code, { transfer: [code.buffer] });
    expect(Buffer.from(given.subarray(0, 4)).toString("hex")).toBe("0061736d");
    expect(code.length).toBe(0);
  });

  it("refuses an artifact that is missing, cut or damaged", async () => {
    const copy = join(projects.make({}), "evaluator.wasm.zst");
    await expect(loadEvaluatorCode(copy)).rejects.toThrow("ENOENT");
    const bytes = readFileSync(artifact);
    writeFileSync(copy, bytes.subarray(0, bytes.length - 1000));
    await expect(loadEvaluatorCode(copy)).rejects.toThrow("unexpected end of file");
    bytes.fill(0xff, 5000, 5100);
    writeFileSync(copy, bytes);
    await expect(loadEvaluatorCode(copy)).rejects.toThrow("checksum");
    rmSync(copy);
  });
});
