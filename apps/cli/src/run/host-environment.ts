import { settingTable } from "@cuenv/config";
import { taskPath } from "@cuenv/runner";
import type { OpenProject } from "../project/open-project.ts";

/** The definition that a task must have to be run, said by who asks for one (inspect/task-definition.ts). */
export const definitionVariable = "CUENV_TASK_DEFINITION";

/**
 * What no task sees of cuenv's own. With the key that results are signed with in CI, it could sign whatever it likes; with the
 * token, write to the remote cache; and a definition is said of one task, not of those that it runs.
 */
const withheldVariables: ReadonlySet<string> = new Set([
  "CUENV_SIGNING_KEY",
  settingTable.remoteAuthToken.variable,
  definitionVariable,
]);

/** Our own environment, for whatever is started from here. */
export function ownVariables(): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && !withheldVariables.has(name)) variables[name] = value;
  return variables;
}

/** PATH as it was given to us: what {@link hostEnvironment} puts before it differs from checkout to checkout. */
export function keyedEnvironment(): Readonly<Record<string, string>> {
  return { PATH: process.env["PATH"] ?? "" };
}

/**
 * What tasks see of our own environment, read once for a run: each look at `process.env` asks the system. Tools of the project
 * are called by name; a PATH that a task sets itself is its own.
 */
export function hostEnvironment(open: OpenProject): Readonly<Record<string, string>> {
  const { projectDirectory, workspaceRoot } = open;
  const variables = ownVariables();
  variables["PATH"] = taskPath({ projectDirectory, workspaceRoot, path: variables["PATH"] });
  // Frozen: the key package looks through such an object once, not once for each task.
  return Object.freeze(variables);
}
