import {
  type CacheMode,
  type CommandTask,
  getTaskCacheMode,
  type Task,
  type TaskParameter,
} from "@cuenv/config";
import { planRun } from "@cuenv/runner";
import type { OpenProject } from "../project/open-project.ts";
import {
  type DeclaredEnvironment,
  declaredEnvironment,
  printedBy,
} from "./declared-environment.ts";
import { taskDefinition } from "./task-definition.ts";

/** A task as `cuenv inspect --json` gives it: what another tool needs to know to run it in its own graph. */
export type InspectedTask = InspectedCommand | InspectedGroup;

interface InspectedBase {
  readonly name: string;
  readonly description: string | null;
  /** As declared: names of tasks, groups and sequences. */
  readonly dependencies: readonly string[];
  readonly line: number | null;
}

export interface InspectedGroup extends InspectedBase {
  readonly kind: "group" | "sequence";
  readonly members: readonly string[];
  /**
   * Whether it comes to the same when each of its commands is run by itself, after its own dependencies. False where the group bounds how many
   * run at once, or brings tasks into an order that they do not have by themselves.
   */
  readonly free: boolean;
}

export interface InspectedCommand extends InspectedBase {
  readonly kind: "command";
  /** `taskDefinition`. */
  readonly definition: string;
  /** Names of the commands that it depends on, groups replaced by their members. */
  readonly commands: readonly string[];
  /** Tasks whose printed output it uses: it can only be run together with them. */
  readonly printedBy: readonly string[];
  readonly refused: { readonly message: string; readonly hint: string } | null;
  readonly directory: string;
  /** Null: not declared. */
  readonly inputs: readonly string[] | null;
  readonly extraInputs: readonly string[];
  readonly ignoreInputs: readonly string[];
  /** Those of `inputs` and `extraInputs` that name what git ignores. */
  readonly ignoredInputs: readonly string[];
  readonly outputs: readonly string[] | null;
  /** Whether a text of the user's stands for the input files. */
  readonly hasCacheKey: boolean;
  readonly cache: CacheMode;
  /** The mode without what narrows it for who calls: variables, flags and the user's own settings file. */
  readonly declaredCache: CacheMode;
  readonly maxAgeMs: number | null;
  readonly environment: DeclaredEnvironment;
  /** Commands whose output counts. They run in the project's folder. */
  readonly runtime: readonly string[];
  readonly parameters: readonly InspectedParameter[];
}

interface InspectedParameter {
  readonly name: string;
  readonly position: number | null;
  readonly description: string | null;
  readonly required: boolean;
  readonly default: string | null;
  readonly type: TaskParameter["type"];
}

/** All tasks of a project, in the order written. @param ignoredOf which of some patterns name what git ignores */
export function inspectedTasks(
  open: OpenProject,
  ignoredOf: (patterns: readonly string[]) => readonly string[],
): readonly InspectedTask[] {
  const names = Object.keys(open.project.tasks);
  if (names.length === 0) return [];
  const { nodes } = planRun(open.project, { names, withRefused: true });
  const commands = new Map(nodes.map((node) => [node.name, node.dependencies]));
  return Object.values(open.project.tasks).map((task) =>
    task.kind === "command"
      ? inspectedCommand(open, task, commands.get(task.name) ?? [], ignoredOf)
      : { ...baseOf(task), kind: task.kind, members: task.members, free: isFree(open, task.name) },
  );
}

function baseOf({ name, description, dependencies, location }: Task): InspectedBase {
  return {
    name,
    description: description ?? null,
    dependencies,
    line: location?.line ?? null,
  };
}

/** `after` and `limitedBy` are a run's, not the tasks' own: whoever runs the commands one by one would lose them. */
function isFree({ project }: OpenProject, name: string): boolean {
  const { nodes } = planRun(project, { names: [name], withRefused: true });
  return nodes.every(({ after, limitedBy }) => after.length === 0 && limitedBy.length === 0);
}

function declaredMode({
  settings,
  sources,
}: OpenProject["cache"]): Pick<OpenProject["cache"]["settings"], "enabled" | "defaultMode"> {
  const { enabled, defaultMode } = sources;
  return {
    enabled: enabled.source === "project" ? settings.enabled : true,
    defaultMode: defaultMode.source === "project" ? settings.defaultMode : "read-write",
  };
}

function inspectedCommand(
  open: OpenProject,
  task: CommandTask,
  commands: readonly string[],
  ignoredOf: (patterns: readonly string[]) => readonly string[],
): InspectedCommand {
  const { settings } = open.cache;
  const { action, cache } = task;
  const named = [...(task.inputs ?? []), ...cache.extraInputs];
  return {
    ...baseOf(task),
    kind: "command",
    definition: taskDefinition(open, task),
    commands,
    printedBy: printedBy(open, task),
    refused: action.kind === "refused" ? { message: action.message, hint: action.hint } : null,
    directory: task.directory,
    inputs: task.inputs ?? null,
    extraInputs: cache.extraInputs,
    ignoreInputs: cache.ignoreInputs,
    ignoredInputs: named.length === 0 ? named : ignoredOf(named),
    outputs: task.outputs ?? null,
    hasCacheKey: cache.cacheKey !== undefined,
    cache: getTaskCacheMode(settings, cache),
    declaredCache: getTaskCacheMode(declaredMode(open.cache), cache),
    maxAgeMs: cache.maxAgeMs ?? null,
    environment: declaredEnvironment(open, task),
    runtime: [...new Set([...settings.runtime, ...cache.runtime])],
    parameters: task.parameters.map((parameter) => ({
      name: parameter.name,
      position: parameter.position ?? null,
      description: parameter.description ?? null,
      required: parameter.required,
      default: parameter.default ?? null,
      type: parameter.type,
    })),
  };
}
