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

  it("has a checksum to go by, and room for all of it in one piece", async () => {
    // RFC 8878, 3.1.1.1: bit 2 of the descriptor, which follows the magic number.
    expect(readFileSync(artifact)[4]! & 4).toBe(4);
    expect((await loadEvaluatorCode(artifact)).buffer.byteLength).toBe(44 * 1024 * 1024);
  });

  it("refuses an artifact that is missing, cut or damaged", async () => {
    const copy = join(projects.make({}), "evaluator.wasm.zst");
    await expect(loadEvaluatorCode(copy)).rejects.toThrow("ENOENT");
    const bytes = readFileSync(artifact);
    writeFileSync(copy, bytes.subarray(0, bytes.length - 1000));
    await expect(loadEvaluatorCode(copy)).rejects.toThrow("unexpected end of file");
    for (const at of [100, 5000, 1_000_000, bytes.length - 200]) {
      const damaged = Buffer.from(bytes);
      damaged.fill(0xff, at, at + 100);
      writeFileSync(copy, damaged);
      await expect(loadEvaluatorCode(copy), String(at)).rejects.toBeInstanceOf(Error);
    }
    rmSync(copy);
  });
});
