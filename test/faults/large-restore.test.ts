import { readdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cacheLeftovers } from "./cache-leftovers.ts";
import { isFull } from "./capabilities.ts";
import { createFaultProject, type FaultProject } from "./fault-project.ts";
import { readTree, type Tree, treeDifference } from "./tree.ts";

// So many files that threads are started for them (packages/cas/src/staging-threads.ts).
const files: Readonly<Record<string, string>> = {
  "env.cue": `package env

tasks: many: {
	command: "node"
	args: ["make.mjs"]
	inputs: ["make.mjs"]
	outputs: ["out"]
}
`,
  "make.mjs": `import { mkdirSync, writeFileSync } from "node:fs";
for (let folder = 0; folder < 16; folder += 1) {
  mkdirSync(\`out/\${folder}\`, { recursive: true });
  for (let file = 0; file < 150; file += 1)
    writeFileSync(\`out/\${folder}/\${file}.txt\`, \`\${folder} \${file}\\n\`.repeat(file * 7), { mode: file % 5 === 0 ? 0o755 : 0o644 });
}
`,
};

let project: FaultProject;
let clean: Tree;
beforeAll(async () => {
  project = createFaultProject({ files });
  const { code, stderr } = await project.cuenv(["task", "many"]);
  if (code !== 0) throw new Error(stderr);
  clean = readTree(project.workspace);
});
afterAll(() => project.remove());

const removeOutputs = (): void => rmSync(project.path("out"), { recursive: true, force: true });
const difference = (): string | undefined => treeDifference(clean, readTree(project.workspace));

describe("a restore of very many files", () => {
  const hasTwo = availableParallelism() > 1;
  if (!hasTwo) console.warn("SKIPPED: a thread of a restore needs two processors");

  it.skipIf(!hasTwo)("is done by several threads, and makes the same files", async () => {
    removeOutputs();
    // Node 22 gives its threads no names to be seen in /proc, but tells what it starts.
    const { code, stderr } = await project.cuenv(["task", "many"], {
      env: { NODE_DEBUG: "worker" },
    });
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("restored 2400 files");
    expect(stderr).toContain("staging-worker");
    // What the bundle lacks, or is wrong in it, costs the thread only.
    expect(stderr).not.toContain("uncaught exception");
    expect(difference()).toBeUndefined();
  });

  it("that is killed leaves nothing that the next one does not put right", async () => {
    for (const afterMs of isFull ? Array.from({ length: 60 }, (_, point) => point * 5) : [0, 60]) {
      const code = await endedBy("SIGKILL", afterMs);
      const next = await project.cuenv(["task", "many"]);
      expect(next.code, next.stderr).toBe(0);
      expect(next.stderr).toContain("hit");
      expect(difference(), `killed after ${afterMs} ms, with ${code}`).toBeUndefined();
    }
    expect((await project.cuenv(["cache", "verify"])).code).toBe(0);
    expect(cacheLeftovers(project.cacheDir)).toEqual([]);
  });

  it("that is interrupted changes nothing, and leaves nothing", async () => {
    const code = await endedBy("SIGINT", 0);
    expect(code).toBe(130);
    expect(Object.keys(readTree(project.workspace))).toEqual(["env.cue", "make.mjs"]);
    expect(cacheLeftovers(project.cacheDir)).toEqual([]);
  });
});

/** Restores, and is sent a signal so long after the first file was staged. */
async function endedBy(signal: NodeJS.Signals, afterMs: number): Promise<number | null> {
  removeOutputs();
  const run = { pid: 0, isOver: false };
  const running = project.cuenv(["task", "many"], { onStart: (pid) => (run.pid = pid) });
  void running.finally(() => (run.isOver = true));
  while (!run.isOver && staged() === 0) await setTimeout(1);
  await setTimeout(afterMs);
  if (!run.isOver) process.kill(run.pid, signal);
  return (await running).code;
}

function staged(): number {
  try {
    return readdirSync(`${project.cacheDir}/v1/tmp`).length;
  } catch {
    return 0;
  }
}
