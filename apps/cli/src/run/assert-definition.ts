import { CuenvError } from "@cuenv/errors";
import type { Plan } from "@cuenv/runner";
import { taskDefinition } from "../inspect/task-definition.ts";
import type { OpenProject } from "../project/open-project.ts";
import { definitionVariable } from "./host-environment.ts";

/**
 * Who keeps results himself has a task run under the definition that he made their key of. If env.cue says something else by now, the result would
 * be kept under the wrong key.
 * @throws {CuenvError} RUN_DEFINITION
 */
export function assertDefinition(open: OpenProject, { nodes }: Plan): void {
  const expected = process.env[definitionVariable];
  if (expected === undefined || expected === "") return;
  const changed = nodes.find(({ named, task }) => named && taskDefinition(open, task) !== expected);
  if (changed === undefined) return;
  throw new CuenvError(
    "RUN_DEFINITION",
    `cannot run ${changed.name} as it was asked for: env.cue, or the settings, define it otherwise since it was read`,
    {
      hint: `Run it again; with Nx, nx reset first if that does not help. ${definitionVariable} says which definition was asked for.`,
    },
  );
}
