import { relative } from "node:path";
import type { ProjectNodes } from "../nx-api.ts";
import { refusedTarget } from "./command-target.ts";
import type { InspectedError, InspectedProject } from "./inspection.ts";
import { nodeOf, type Workspace } from "./project-nodes.ts";
import { projectPlace } from "./target-filesets.ts";
import { targetName } from "./target-name.ts";

/** What is wrong with a project, a line each: `packages/a/env.cue:3:7: cannot … [CODE]`. */
export function errorText(workspaceRoot: string, error: InspectedError): string {
  return [error, ...(error.others ?? [])]
    .map(({ file, line, column, message, code, hint }) => {
      const place = [file === null ? null : relative(workspaceRoot, file), line, column];
      const at = place.filter((part) => part !== null).join(":");
      return `${at === "" ? "" : `${at}: `}${message} [${code}]${hint === null ? "" : ` (${hint})`}`;
    })
    .join("\n");
}

/**
 * The project of an env.cue that is wrong. Its targets, those that it writes and those that other projects have, fail with what is wrong: so that a run of
 * all projects does not pass over it, while whoever builds another project is not kept from it.
 */
export function failingProject(
  workspace: Workspace,
  project: InspectedProject & { readonly error: InspectedError },
  names: ReadonlySet<string>,
): ProjectNodes {
  const place = projectPlace(workspace.root, project, workspace.hasNested);
  const text = errorText(workspace.root, project.error);
  const all = new Set([...(project.writtenTasks ?? []).map(targetName), ...names]);
  // Whatever was mended since, nothing was built: it must not be a success.
  const target = refusedTarget({ place }, text);
  const node = nodeOf(workspace, place, project.name);
  return {
    ...node,
    targets: Object.fromEntries([...all].map((name) => [name, target])),
    metadata: { technologies: ["cuenv"], description: text },
  };
}
