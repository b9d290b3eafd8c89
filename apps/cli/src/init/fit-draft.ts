import { normalizeProject } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import type { Draft, DraftNote, DraftTask, FieldValue } from "./draft.ts";

interface Place {
  /** From the workspace root, with `/`. */
  readonly projectPath: string;
  readonly workspaceRoot: string;
}

/**
 * The draft without what cuenv would refuse: two tasks may have one output in Turborepo, and names and patterns may be other than ours. What is
 * taken out is told, in the words of the error that it would have been.
 */
export function fitDraft(draft: Draft, place: Place): Draft {
  const notes: DraftNote[] = [...draft.notes];
  const tasks = withDistinctNames(draft.tasks, notes);
  if (problemWith(draft, tasks, place) === undefined) return { ...draft, tasks, notes };
  const kept: DraftTask[] = [];
  for (const task of tasks) {
    const fitted = fitTask(draft, kept, task, place, notes);
    if (fitted !== undefined) kept.push(fitted);
  }
  const names = new Set(kept.map(({ name }) => name));
  return { ...draft, tasks: withDependencies(draft, kept, names, place, notes), notes };
}

/** CUE takes names for equal that look the same (NFC). */
function withDistinctNames(tasks: readonly DraftTask[], notes: DraftNote[]): readonly DraftTask[] {
  const seen = new Set<string>();
  return tasks.filter(({ name }) => {
    const isNew = !seen.has(name);
    seen.add(name);
    const message = `${name} is left out: there is another task of a name that looks the same`;
    if (!isNew) notes.push({ task: undefined, message });
    return isNew;
  });
}

function fitTask(
  draft: Draft,
  before: readonly DraftTask[],
  task: DraftTask,
  place: Place,
  notes: DraftNote[],
): DraftTask | undefined {
  const alone = without(task, ["dependencies"]);
  const others = before.map((each) => without(each, ["dependencies"]));
  const problem = problemWith(draft, [...others, alone], place);
  if (problem === undefined) return task;
  const uncached = { ...without(task, ["inputs", "outputs", "cacheConfig"]), usesShared: false };
  const second = { ...uncached, fields: { ...uncached.fields, cache: false } };
  const stillWrong = problemWith(draft, [...others, without(second, ["dependencies"])], place);
  const message = problem.message;
  if (stillWrong === undefined) {
    notes.push({ task: task.name, message: `not cached: ${message}` });
    return second;
  }
  notes.push({ task: undefined, message: `${task.name} is left out: ${stillWrong.message}` });
  return undefined;
}

/** Dependencies are put back one by one, so that a circle loses only what closes it. */
function withDependencies(
  draft: Draft,
  tasks: readonly DraftTask[],
  names: ReadonlySet<string>,
  place: Place,
  notes: DraftNote[],
): readonly DraftTask[] {
  let fitted = tasks.map((task) => without(task, ["dependencies"]));
  for (const [index, task] of tasks.entries()) {
    for (const name of dependenciesOf(task)) {
      if (!names.has(name)) continue;
      const next = fitted.with(index, withDependency(fitted[index] ?? task, name));
      const problem = problemWith(draft, next, place);
      if (problem === undefined) fitted = next;
      else
        notes.push({ task: task.name, message: `does not wait for ${name}: ${problem.message}` });
    }
  }
  return fitted;
}

function dependenciesOf(task: DraftTask): readonly string[] {
  const listed = task.fields["dependencies"];
  return Array.isArray(listed) ? (listed as readonly string[]) : [];
}

function withDependency(task: DraftTask, name: string): DraftTask {
  const dependencies = [...dependenciesOf(task), name];
  return { ...task, fields: { ...task.fields, dependencies } };
}

function without(task: DraftTask, names: readonly string[]): DraftTask {
  const fields = Object.entries(task.fields).filter(([name]) => !names.includes(name));
  return { ...task, fields: Object.fromEntries(fields) };
}

function problemWith(
  draft: Draft,
  tasks: readonly DraftTask[],
  { projectPath, workspaceRoot }: Place,
): CuenvError | undefined {
  try {
    normalizeProject(
      { value: draftValue(draft, tasks) },
      { projectDirectory: projectPath, workspaceRoot },
    );
    return undefined;
  } catch (error) {
    if (error instanceof CuenvError) return error;
    throw error;
  }
}

type Data = Parameters<typeof normalizeProject>[0]["value"];

/** What the written file evaluates to. */
export function draftValue(draft: Draft, tasks: readonly DraftTask[] = draft.tasks): Data {
  const entries = tasks.map(({ name, fields, usesShared }) => {
    const config = fields["cacheConfig"] ?? {};
    const isShared = usesShared && draft.shared.length > 0;
    const cacheConfig = { ...(config as Record<string, FieldValue>), extraInputs: draft.shared };
    return [name, isShared ? { ...fields, cacheConfig } : fields];
  });
  const value = { config: { cache: draft.cache }, tasks: Object.fromEntries(entries) as unknown };
  return value as Data;
}
