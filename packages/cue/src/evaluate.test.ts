import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { disposeEvaluator, evaluate } from "./index.ts";

const made: string[] = [];
afterAll(async () => {
  await disposeEvaluator();
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

function project(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "cuenv-cue-"));
  made.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

describe("evaluate", () => {
  it("gives values, positions and references of a plain env.cue", async () => {
    const directory = project({
      "env.cue": `package env
tasks: {
  build: {command: "make", outputs: ["out"]}
  test: {command: "make test", dependsOn: [build, tasks.build]}
}
`,
    });
    const { evaluation, packageName } = await evaluate({ directory });
    expect(packageName).toBe("env");
    expect(evaluation.value).toEqual({
      tasks: {
        build: { command: "make", outputs: ["out"] },
        test: { command: "make test", dependsOn: [null, null] },
      },
    });
    expect(evaluation.references).toEqual({
      "/tasks/test/dependsOn/0": "/tasks/build",
      "/tasks/test/dependsOn/1": "/tasks/build",
    });
    expect(evaluation.positions["/tasks/test/command"]).toEqual({
      file: join(directory, "env.cue"),
      line: 4,
      column: 10,
    });
  });
});
