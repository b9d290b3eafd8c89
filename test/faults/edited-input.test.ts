import { existsSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { isFull } from "./capabilities.ts";
import { createFaultProject, disposableProject, type FaultProject } from "./fault-project.ts";
import { readTree, type Tree, treeDifference } from "./tree.ts";

/** When the input is edited: so long after the start of cuenv, or after the task has made a file. */
interface Point {
  readonly made?: string;
  readonly delayMs: number;
}

/** 20: while cuenv starts and hashes, at the beginning and in the middle of each part of the task, and at its end. */
const points: readonly Point[] = [
  ...[0, 40, 60, 80, 100, 120, 160].map((delayMs) => ({ delayMs })),
  ...["out/1", "out/2", "out/3", "out/4", "out/5", "out/6"].flatMap((made) => [
    { made, delayMs: 0 },
    { made, delayMs: 10 },
  ]),
  { made: "single.txt", delayMs: 0 },
];
const repetitions = isFull ? 10 : 1;

/** Reads its input several times, as a compiler does that meets a file by several paths, so that an edit gives a mixture. */
const mixing = `rm -rf out; mkdir out
for part in 1 2 3 4 5 6; do cat src/a.txt > out/$part; sleep 0.02; done
cat out/* > single.txt
echo built; echo advice >&2
`;

/** Of one size: only the bytes and the times tell them apart. */
const original = "first\n";
const edited = "other\n";

async function cleanRun(content: string): Promise<Tree> {
  const project = disposableProject();
  project.write("make.sh", mixing);
  project.write("src/a.txt", content);
  await project.cuenv(["task", "build"], { env: { CUENV_CACHE: "off" } });
  return readTree(project.workspace);
}

async function reached(
  point: Point,
  project: FaultProject,
  running: Promise<unknown>,
): Promise<void> {
  const run = { isOver: false };
  void running.finally(() => (run.isOver = true));
  const isWaiting = (made: string): boolean => !run.isOver && !existsSync(project.path(made));
  while (point.made !== undefined && isWaiting(point.made)) await setTimeout(1);
  await setTimeout(point.delayMs);
}

interface Edited {
  /** Whether it was in the middle of the task. */
  readonly isDuring: boolean;
  readonly problems: readonly string[];
}

/** Edits while the task runs, and then asks for both contents: what is restored must be what a clean run makes of them. */
async function editedAt(
  point: Point,
  project: FaultProject,
  clean: ReadonlyMap<string, Tree>,
): Promise<Edited> {
  await project.putBack();
  const running = project.cuenv(["task", "build"]);
  await reached(point, project, running);
  writeFileSync(project.path("src/a.txt"), edited);
  // Not by when the edit was due: on a busy machine it can come after the end of the run. The task makes this file last.
  const isDuring = point.made !== undefined && !existsSync(project.path("single.txt"));
  const problems: string[] = [];
  const { code, stderr } = await running;
  if (code !== 0) problems.push(`the disturbed run ended with ${code}`);
  if (isDuring && !stderr.includes("changed while it ran"))
    problems.push(`the edit was not noticed: ${stderr}`);
  for (const content of [edited, original, edited]) {
    writeFileSync(project.path("src/a.txt"), content);
    for (const name of ["out", "single.txt"])
      rmSync(project.path(name), { recursive: true, force: true });
    const later = await project.cuenv(["task", "build"]);
    if (later.code !== 0) problems.push(`a later run ended with ${later.code}: ${later.stderr}`);
    const difference = treeDifference(clean.get(content) ?? {}, readTree(project.workspace));
    if (difference !== undefined)
      problems.push(`with ${JSON.stringify(content)}, ${difference} (${later.stderr})`);
  }
  const place = `edited at ${JSON.stringify(point)}`;
  return { isDuring, problems: problems.map((problem) => `${place}: ${problem}`) };
}

describe("an input that is edited while the task runs", () => {
  it(
    "never gives a result that a clean run would not, at any of 20 points",
    async () => {
      const clean = new Map<string, Tree>();
      for (const content of [original, edited]) clean.set(content, await cleanRun(content));
      const work = async (worker: number): Promise<Edited[]> => {
        const project = createFaultProject();
        const edits: Edited[] = [];
        try {
          project.write("make.sh", mixing);
          // Evaluated, and nothing stored.
          await project.cuenv(["task"]);
          await project.keep();
          for (let round = 0; round < repetitions; round += 1) {
            for (const [index, point] of points.entries())
              if (index % 2 === worker) edits.push(await editedAt(point, project, clean));
          }
        } finally {
          project.remove();
        }
        return edits;
      };
      const edits = (await Promise.all([work(0), work(1)])).flat();
      const problems = edits.flatMap((edit) => edit.problems);
      expect(problems, problems.join("\n")).toHaveLength(0);
      // Otherwise no edit has hit what this is about.
      expect(edits.some(({ isDuring }) => isDuring)).toBe(true);
    },
    60 * 60_000,
  );
});
