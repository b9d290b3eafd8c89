import { taskPath } from "@cuenv/runner";
import type { OpenProject } from "../project/open-project.ts";

/** What results are signed with in CI: with it a task could sign whatever it likes. */
export const signingKeyVariable = "CUENV_SIGNING_KEY";

/**
 * What tasks see of our own environment, read once for a run: each look at `process.env` asks the system. Tools of the project
 * are called by name; a PATH that a task sets itself is its own.
 */
export function hostEnvironment(open: OpenProject): Readonly<Record<string, string>> {
  const { projectDirectory, workspaceRoot } = open;
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && name !== signingKeyVariable) variables[name] = value;
  variables["PATH"] = taskPath({ projectDirectory, workspaceRoot, path: variables["PATH"] });
  // Frozen: the key package looks through such an object once, not once for each task.
  return Object.freeze(variables);
}
