import { dirname, join } from "node:path/posix";
import { type CreateNodesContext, AggregateCreateNodesError, type NodesOfFile } from "../nx-api.ts";
import { knowsIncludeIgnored, knowsRest } from "../nx-version.ts";
import { type PluginOptions, readPluginOptions } from "../plugin-options.ts";
import { errorText, failingProject } from "./failing-project.ts";
import type { InspectedError, InspectedProject } from "./inspection.ts";
import { projectNodes, type Workspace } from "./project-nodes.ts";
import { inEnvironment } from "./in-environment.ts";
import { rememberInspections } from "./remembered-inspections.ts";
import { runInspect } from "./run-inspect.ts";
import { nothingWritten, writtenTargets } from "./written-targets.ts";

const remembered = rememberInspections();

/**
 * A project for each `env.cue` among the files. The others, package.json and project.json, are asked for to know which folders are projects.
 * @throws {AggregateCreateNodesError} with `onError: "fail"`, for files that are wrong
 */
export async function inferProjects(
  files: readonly string[],
  given: PluginOptions | undefined,
  { workspaceRoot, nxJsonConfiguration = {} }: CreateNodesContext,
): Promise<readonly NodesOfFile[]> {
  const options = readPluginOptions(given);
  const own = files.filter((file) => /(?:^|\/)env\.cue$/.test(file)).toSorted();
  if (own.length === 0) return [];
  const place = { root: workspaceRoot, options, nxJson: nxJsonConfiguration };
  const workspace = workspaceOf(place, files);
  const directories = own.map((file) => join(workspaceRoot, dirname(file)));
  const inspected = await remembered.of(directories, (changed) => runInspect(changed, options));
  const projects = inEnvironment(inspected, options.environment);
  const byDirectory = new Map(projects.map((project) => [project.directory, project]));
  const found: NodesOfFile[] = [];
  const wrong: [string, InspectedProject & { readonly error: InspectedError }][] = [];
  const errors: [string, Error][] = [];
  const targets = new Set<string>();
  for (const [index, file] of own.entries()) {
    const project = byDirectory.get(directories[index] ?? "");
    if (project === undefined) continue;
    const { error } = project;
    if (error !== null) {
      wrong.push([file, { ...project, error }]);
      continue;
    }
    try {
      const nodes = projectNodes(workspace, project);
      for (const name of Object.keys(nodes.targets)) targets.add(name);
      found.push([file, { projects: { [nodes.root]: nodes } }]);
    } catch (caught) {
      errors.push([file, plainError(caught instanceof Error ? caught.message : String(caught))]);
    }
  }
  for (const [file, project] of wrong) {
    const text = errorText(workspaceRoot, project.error);
    if (options.onError === "fail") errors.push([file, plainError(text)]);
    else {
      report(file, text);
      const nodes = failingProject(workspace, project, targets);
      found.push([file, { projects: { [nodes.root]: nodes } }]);
    }
  }
  if (errors.length > 0) throw new AggregateCreateNodesError(errors, found);
  return found;
}

/** As Nx shows the errors of plugins that it does not go on after. Without its daemon it is seen at once, else in the daemon's log. */
function report(file: string, text: string): void {
  process.stderr.write(
    `An error occurred while processing files for the @cuenv/nx plugin; the targets of that project fail.\n  - ${file}:\n${text.replaceAll(/^/gm, "      ")}\n`,
  );
}

/** With --verbose Nx prints stacks, and ours says nothing about an env.cue. */
function plainError(text: string): Error {
  const error = new Error(text);
  error.stack = text;
  return error;
}

function workspaceOf(
  place: Pick<Workspace, "root" | "options" | "nxJson">,
  files: readonly string[],
): Workspace {
  const folders = new Set(files.map(dirname));
  const parents = new Set<string>();
  for (const folder of folders)
    for (let parent = folder; parent !== ".";) {
      parent = dirname(parent);
      if (parents.has(parent)) break;
      parents.add(parent);
    }
  const named = new Set(files.filter((file) => !file.endsWith("env.cue")).map(dirname));
  return {
    ...place,
    knowsIncludeIgnored: knowsIncludeIgnored(place.root),
    knowsRest: knowsRest(place.root),
    hasNested: (folder) => parents.has(folder),
    isNamed: (folder) => named.has(folder),
    writtenIn: (folder) =>
      named.has(folder) ? writtenTargets(place.root, folder) : nothingWritten,
  };
}
