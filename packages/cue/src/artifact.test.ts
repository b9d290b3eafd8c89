import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { zstdDecompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { loadEvaluatorCode } from "./evaluator-code.ts";
import { packageFile } from "./package-file.ts";
import { webAssembly } from "./web-assembly.ts";

const folder = new URL("..", import.meta.url);
const read = (path: string): Buffer => readFileSync(new URL(path, folder));

describe("the evaluator's artifact", () => {
  it("is what its record says", () => {
    const digest = createHash("sha256")
      .update(zstdDecompressSync(read("artifact/evaluator.wasm.zst")))
      .digest("hex");
    const version = /cuelang\.org\/go (v\S+)/.exec(read("go/go.mod").toString())?.[1];
    const [first, ...rest] = read("artifact/evaluator.wasm.sha256").toString().trim().split("\n");
    expect(first).toBe(`${digest}  evaluator.wasm`);
    expect(rest).toEqual([
      expect.stringMatching(/^# go1\.\d+\.\d+$/),
      `# cuelang.org/go ${version}`,
    ]);
  });

  it("was started when it was built: what starts it is not there", async () => {
    const code = await loadEvaluatorCode(packageFile("artifact/evaluator.wasm.zst"));
    const names = webAssembly.Module.exports(new webAssembly.Module(code)).map(({ name }) => name);
    expect(names.toSorted()).toEqual(["allocate", "evaluate", "memory"]);
  });

  it("is part of the identity that memos are kept under, as the schema is", () => {
    const before = read("src/gen/evaluator-identity.ts").toString();
    const script = fileURLToPath(new URL("build-evaluator.mjs", folder));
    const printed = spawnSync(process.execPath, [script, "--print-identity"], { encoding: "utf8" });
    // If this fails: node packages/cue/build-evaluator.mjs --identity
    expect(printed.stdout).toBe(before);
  });

  it("is published", () => {
    const manifest = JSON.parse(read("package.json").toString());
    expect(manifest.files).toEqual(expect.arrayContaining(["artifact", "schema", "dist"]));
  });
});
