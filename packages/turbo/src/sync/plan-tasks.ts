import type { MissingScript } from "./missing-scripts.ts";
import type { SyncNote, SyncPackage, SyncWorkspace, TurboTask } from "./sync-workspace.ts";
import { createTaskInputs } from "./task-inputs.ts";
import { translateTasks } from "./translate-task.ts";

export interface TaskPlan {
  /** What the root's turbo.json says: for all packages by the task's name, for the root's own as `//#name`. */
  readonly root: ReadonlyMap<string, TurboTask>;
  /** The tasks of each package that has an env.cue, by its path; those that are the same in `root` as well. */
  readonly packages: ReadonlyMap<string, ReadonlyMap<string, TurboTask>>;
  readonly missing: readonly MissingScript[];
  readonly notes: readonly SyncNote[];
}

/**
 * Which definition stands where. The root has that of most packages; not where a package that says nothing of the task in an env.cue has a script of its name:
 * the definition would be that script's, too. @param rootKeys what the root's turbo.json has: `web#build` there is all that turbo takes for that task
 */
export function planTasks(workspace: SyncWorkspace, rootKeys: ReadonlySet<string>): TaskPlan {
  const notes: SyncNote[] = [];
  const missing: MissingScript[] = [];
  const root = new Map<string, TurboTask>();
  const packages = new Map<string, Map<string, TurboTask>>();
  const all = { workspace, inputsOf: createTaskInputs(workspace) };
  for (const owner of workspace.packages) {
    const translated = translateTasks(all, owner);
    notes.push(...translated.notes);
    missing.push(...translated.missing);
    const own = new Map<string, TurboTask>();
    packages.set(owner.path, own);
    for (const [name, task] of translated.tasks) {
      const key = owner.path === "" ? `//#${name}` : `${owner.name}#${name}`;
      if (owner.path === "" || rootKeys.has(key)) root.set(key, task);
      else own.set(name, task);
    }
  }
  for (const name of new Set([...packages.values()].flatMap((tasks) => [...tasks.keys()]))) {
    const isOthers = [...workspace.others, ...workspace.packages.filter(isWithout(packages, name))]
      .filter((owner) => owner.path !== "" && !rootKeys.has(`${owner.name}#${name}`))
      .some(({ scripts }) => Object.hasOwn(scripts, name));
    if (!isOthers) root.set(name, mostCommon([...packages.values()], name));
  }
  return { root, packages, missing, notes: oncePerMessage(notes) };
}

function isWithout(packages: TaskPlan["packages"], name: string): (owner: SyncPackage) => boolean {
  return ({ path }) => packages.get(path)?.has(name) !== true;
}

function mostCommon(all: readonly ReadonlyMap<string, TurboTask>[], name: string): TurboTask {
  const counts = new Map<string, number>();
  for (const tasks of all) {
    const task = tasks.get(name);
    if (task === undefined) continue;
    const text = JSON.stringify(task);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  const [first] = [...counts].toSorted((left, right) => right[1] - left[1]);
  return JSON.parse(first?.[0] ?? "null") as TurboTask;
}

/** The same of many tasks is said of the first, with how many more there are. */
function oncePerMessage(notes: readonly SyncNote[]): readonly SyncNote[] {
  const groups = new Map<string, [SyncNote, ...SyncNote[]]>();
  for (const note of notes) {
    const known = groups.get(note.message);
    if (known === undefined) groups.set(note.message, [note]);
    else known.push(note);
  }
  return [...groups.values()].map(([first, ...more]) =>
    more.length === 0 ? first : { ...first, message: `${first.message} (and ${more.length} more)` },
  );
}
