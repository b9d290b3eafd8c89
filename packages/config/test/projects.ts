import { readFileSync } from "node:fs";
import { CuenvError } from "@cuenv/errors";
import type { EvaluatedPackage } from "../src/evaluated-package.ts";
import { normalizeProject, type NormalizeOptions } from "../src/normalize/normalize-project.ts";
import type { CommandTask, Project, Task } from "../src/task.ts";

/** An evaluated package as JSON: one for each generation of cuenv. */
export function fixture(name: "era-0.4" | "era-0.6" | "era-0.54"): EvaluatedPackage {
  return JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), "utf8"));
}

/** Normalises a project that consists of these tasks. */
export function projectOf(
  tasks: unknown,
  options: Partial<NormalizeOptions> & { references?: Record<string, string> } = {},
): Project {
  const { references = {}, ...rest } = options;
  const value = { tasks } as EvaluatedPackage["value"];
  return normalizeProject({ value, references }, { projectDirectory: "", ...rest });
}

export function taskOf(project: Project, name: string): Task {
  const task = project.tasks[name];
  if (task === undefined) throw new Error(`there is no task ${name}`);
  return task;
}

export function commandOf(project: Project, name: string): CommandTask {
  const task = taskOf(project, name);
  if (task.kind !== "command") throw new Error(`${name} is a ${task.kind}`);
  return task;
}

/** The only task of a project, made of these fields. */
export function oneTask(
  fields: Record<string, unknown>,
  options: Partial<NormalizeOptions> = {},
): CommandTask {
  return commandOf(projectOf({ task: { command: "run it", ...fields } }, options), "task");
}

/** What `run` throws, with everything else that it found. */
export function problemsOf(run: () => unknown): readonly CuenvError[] {
  try {
    run();
  } catch (error) {
    if (error instanceof CuenvError) return [error, ...error.others];
    throw error;
  }
  return [];
}

export function codesOf(run: () => unknown): readonly string[] {
  return problemsOf(run).map(({ code }) => code);
}
