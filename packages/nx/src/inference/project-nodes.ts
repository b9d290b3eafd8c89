import { basename } from "node:path";
import { matchesAny } from "../name-matches.ts";
import type { NxJson, ProjectNodes, Target } from "../nx-api.ts";
import type { PluginOptions } from "../plugin-options.ts";
import {
  commandTarget,
  groupTarget,
  refusedTarget,
  type TargetQuestion,
} from "./command-target.ts";
import type { InspectedCommand, InspectedProject } from "./inspection.ts";
import { isSaidCached, isSaidContinuous, targetConflict } from "./target-conflict.ts";
import { type ProjectPlace, projectPlace } from "./target-filesets.ts";
import { targetName } from "./target-name.ts";
import type { WrittenTargets } from "./written-targets.ts";

export interface Workspace {
  /** Absolute. */
  readonly root: string;
  readonly options: PluginOptions;
  readonly nxJson: NxJson;
  readonly knowsIncludeIgnored: boolean;
  readonly knowsRest: boolean;
  /** Whether another project lies below this folder. */
  readonly hasNested: (root: string) => boolean;
  /** Whether a package.json or project.json names the project of this folder. */
  readonly isNamed: (root: string) => boolean;
  /** What project.json and package.json of this folder say of targets. */
  readonly writtenIn: (root: string) => WrittenTargets;
}

/** The project of an env.cue with its targets. @throws {Error} with `onError: "fail"`, when two tasks would have one target */
export function projectNodes(workspace: Workspace, project: InspectedProject): ProjectNodes {
  const place = projectPlace(workspace.root, project, workspace.hasNested);
  const { options, knowsIncludeIgnored } = workspace;
  const commands = new Map(
    project.tasks.flatMap((task): [string, InspectedCommand][] =>
      task.kind === "command" ? [[task.name, task]] : [],
    ),
  );
  const written = workspace.writtenIn(place.root);
  const continuous = [...commands.keys()].filter((name) => {
    const target = targetName(name);
    return isSaidContinuous({ ...workspace, written: written.of(target) }, target);
  });
  const question = {
    project,
    place,
    options: { ...options, continuous: [...(options.continuous ?? []), ...continuous] },
    knowsIncludeIgnored,
    commands,
    workspaceRoot: workspace.root,
    tasks: new Map(project.tasks.map((task) => [task.name, task])),
  };
  const node = withNotice(nodeOf(workspace, place, project.name), options, project);
  const projectNames = [node.name, written.name].filter((name) => name !== undefined);
  const targets = new Map<string, Target>();
  for (const task of project.tasks) {
    if (matchesAny(options.exclude ?? [], task.name)) continue;
    const name = targetName(task.name);
    if (targets.has(name)) {
      const clash = `${place.root}/env.cue: cannot make a target of ${task.name}: another task is the target ${name} already, since Nx does not allow [] * ? and the like in names`;
      if (options.onError === "fail") throw new Error(clash);
      // Which of them is meant nobody knows.
      targets.set(name, refusedTarget(question, clash));
      continue;
    }
    const said = { root: place.root, projectNames, written: written.of(name) };
    const target =
      task.kind !== "command"
        ? groupTarget(question, task)
        : isSaidCached({ ...workspace, ...said }, name)
          ? declaredTarget(question, task)
          : commandTarget(question, task);
    const conflict = targetConflict({ ...workspace, ...said }, name, target);
    targets.set(name, conflict === undefined ? target : refusedTarget(question, conflict));
  }
  return { ...node, targets: Object.fromEntries(targets) };
}

/**
 * A task whose result Nx is told to keep, as if its caller had narrowed no cache mode: Nx' cache is not narrowed by it, and its hash is as good as ever. A
 * target that fails instead would have CUENV_CACHE=off end builds.
 */
function declaredTarget(question: TargetQuestion, task: InspectedCommand): Target {
  const declared = (each: InspectedCommand): InspectedCommand => ({
    ...each,
    cache: each.declaredCache,
  });
  const commands = [...question.commands].map(([name, each]) => [name, declared(each)] as const);
  return commandTarget({ ...question, commands: new Map(commands) }, declared(task));
}

/** Said where Nx shows the project, and not in every run: most workspaces have some projects without it. */
function withNotice(
  node: ReturnType<typeof nodeOf>,
  { environment }: PluginOptions,
  project: InspectedProject,
): ReturnType<typeof nodeOf> {
  if (environment === undefined || project.environment !== null) return node;
  const description = `Its env.cue has no environment ${environment}: the targets have none`;
  return { ...node, metadata: { ...node.metadata, description } };
}

/** A name of package.json or project.json wins in Nx; without one it is env.cue's, else the folder's. */
export function nodeOf(
  workspace: Workspace,
  { root }: Pick<ProjectPlace, "root">,
  name: string | null,
): Pick<ProjectNodes, "name" | "root" | "metadata"> {
  const metadata = { technologies: ["cuenv"] };
  if (name !== null) return { name, root, metadata };
  if (workspace.isNamed(root)) return { root, metadata };
  return { name: root === "." ? basename(workspace.root) : basename(root), root, metadata };
}
