import { type Draft, draftTask } from "./draft.ts";
import { draftScripts } from "./draft-scripts.ts";
import type { PackageFiles } from "./package-files.ts";

/** Each script is a task that is not cached: package.json says nothing of what scripts read and write. */
export function draftPlain(files: PackageFiles): Draft {
  const { scripts, notes } = draftScripts(files);
  const nothingCached = {
    task: undefined,
    message:
      "nothing is cached yet: package.json does not say what scripts read and write. Give a task inputs and outputs, and it is",
  };
  return {
    sources: ["package.json"],
    cache: {},
    shared: [],
    tasks: scripts.map(({ name, task }) => draftTask(name, task)),
    notes: scripts.length > 0 ? [...notes, nothingCached] : notes,
  };
}
