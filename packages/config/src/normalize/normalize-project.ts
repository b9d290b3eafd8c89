import { join } from "node:path";
import {
  type DataObject,
  type EvaluatedPackage,
  isDataObject,
  kindOf,
  ownField,
} from "../evaluated-package.ts";
import { createProblems } from "../problems.ts";
import type { CommandTask, Project, Task } from "../task.ts";
import { readCommandTask, readGroupFields } from "./command-task.ts";
import { type Context, createIgnoredFields } from "./context.ts";
import { inheritDependencies, readDependencies, taskHint } from "./dependencies.ts";
import type { ValueContext, Variables } from "./environment-values.ts";
import { findCycles } from "./find-cycles.ts";
import { findInputInOutput } from "./inputs-in-outputs.ts";
import { findOverlappingOutputs } from "./overlapping-outputs.ts";
import { readProjectConfig } from "./project-config.ts";
import { readProjectVariables } from "./project-variables.ts";
import { createTaskNames, type TaskNames } from "./task-names.ts";
import { readTaskTree, type TaskNode, type TaskTree } from "./task-tree.ts";
import { warnAndRefuseTopLevel } from "./top-level-fields.ts";

export interface NormalizeOptions {
  /** The project's folder relative to the workspace root, with `/`; "" for the root itself. */
  readonly projectDirectory: string;
  /** Absolute; needed only for `dir: {from: "definition"}` and for locations without a file. */
  readonly workspaceRoot?: string | undefined;
  /** The environment asked for: `-e`, or `CUENV_ENV`. */
  readonly environment?: string | undefined;
  /** Of a deprecated form every place is a warning, and not only the first. */
  readonly everyPlace?: boolean | undefined;
}

/**
 * One validated, read-only project out of an evaluated `env.cue` of any generation of cuenv.
 * @throws {CuenvError} with a CONFIG_ code: the first problem, and all others of the same pass in `others`
 */
export function normalizeProject(evaluated: EvaluatedPackage, options: NormalizeOptions): Project {
  const context = createContext(evaluated, options);
  const { problems } = context;
  warnAndRefuseTopLevel(context);
  const config = readProjectConfig(context);
  const project = readProjectVariables(context, options.environment ?? config.defaultEnvironment);
  warnOfAttributes(context, evaluated);
  const tree = readTaskTree(context);
  const tasks = readTasks(context, tree, project.variables);
  context.ignored.warn(problems);
  problems.throwIfAny();
  const name = ownField(context.value, "name");
  return {
    ...(typeof name === "string" ? { name } : {}),
    env: project.env,
    environments: project.environments,
    tasks,
    cache: config.cache,
    warnings: problems.warnings,
  };
}

function createContext(evaluated: EvaluatedPackage, options: NormalizeOptions): Context {
  const { projectDirectory, workspaceRoot, everyPlace } = options;
  const file = join(workspaceRoot ?? "", projectDirectory, "env.cue");
  const problems = createProblems({
    positions: evaluated.positions,
    fallback: { file },
    everyPlace,
  });
  const { value } = evaluated;
  if (!isDataObject(value)) {
    const message = `cannot read the project: it must be a struct, not ${kindOf(value)}`;
    problems.add("CONFIG_TYPE", "", message);
    problems.throwIfAny();
  }
  return {
    problems,
    value: value as DataObject,
    references: evaluated.references ?? {},
    projectDirectory: projectDirectory === "." ? "" : projectDirectory,
    workspaceRoot,
    ignored: createIgnoredFields(),
  };
}

function warnOfAttributes({ problems }: Context, { attributes = {} }: EvaluatedPackage): void {
  for (const [pointer, texts] of Object.entries(attributes)) {
    if (!texts.some((text) => text.startsWith("@capability"))) continue;
    const message = "`@capability` has no effect: every task sees every variable of `env`";
    problems.warn("ignored capabilities", pointer, message);
    return;
  }
}

function readTasks(
  context: Context,
  tree: TaskTree,
  variables: Variables,
): Readonly<Record<string, Task>> {
  const names = createTaskNames(context, tree);
  const read = new Map<string, Task>();
  const declared = new Map<string, readonly string[]>();
  for (const node of tree.nodes) {
    const task = readTask(context, names, node, variables);
    declared.set(node.name, task?.dependencies ?? []);
    if (task !== undefined) read.set(node.name, task);
  }
  const complete = inheritDependencies(tree, names, declared);
  const tasks: Record<string, Task> = Object.create(null);
  for (const [name, task] of read)
    tasks[name] = { ...task, dependencies: complete.get(name) ?? [] };
  addCycles(context, tree, tasks, complete);
  addOverlaps(context, tree, tasks);
  return tasks;
}

function readTask(
  context: Context,
  names: TaskNames,
  node: TaskNode,
  variables: Variables,
): Task | undefined {
  const { declared, refusal } = readDependencies(context, names, node);
  const location = context.problems.locate(node.pointer);
  const base = { name: node.name, ...(location === undefined ? {} : { location }) };
  if (node.kind !== "command") {
    const fields =
      node.struct === undefined
        ? { maxConcurrency: undefined }
        : readGroupFields(context, node.struct);
    const { maxConcurrency, ...rest } = fields;
    const members = node.members.flatMap((member) => names.member(member) ?? []);
    const common = { ...base, ...rest, dependencies: declared, members };
    return node.kind === "group"
      ? { kind: "group", ...common, maxConcurrency }
      : { kind: "sequence", ...common };
  }
  if (node.struct === undefined) return undefined;
  const used: string[] = [];
  const values: ValueContext = {
    ...context,
    findOutputTask(name, pointer) {
      const task = findOutputTask(names, node, name, pointer);
      if (task !== undefined) used.push(task);
      return task;
    },
  };
  const read = readCommandTask(values, node.struct, node.name, variables);
  if (read === undefined) return undefined;
  const taskInputs = read.taskInputs.flatMap(({ task, pointer }) => {
    const name = names.byName(task, node);
    if (name !== undefined) return [{ task: name }];
    const message = `cannot read task ${node.name}: there is no task ${JSON.stringify(task.slice(0, 100))} to take outputs from`;
    const hint = taskHint(task, names.candidates(node));
    context.problems.add("CONFIG_UNKNOWN_TASK", pointer, message, hint);
    return [];
  });
  const dependencies = [...new Set([...declared, ...taskInputs.map(({ task }) => task), ...used])];
  const action =
    read.task.action.kind === "refused" ? read.task.action : (refusal ?? read.task.action);
  return { ...base, ...read.task, action, dependencies, taskInputs };
}

/** `pointer` is where the reference leads, `/tasks/build/stdout`, or where it stands if that is not known. */
function findOutputTask(
  names: TaskNames,
  node: TaskNode,
  name: string,
  pointer: string,
): string | undefined {
  const owner = /^(.*)\/(?:stdout|stderr|exitCode)$/.exec(pointer)?.[1];
  const referred = owner === undefined ? undefined : names.byPointer(owner);
  return referred ?? (name === "" ? undefined : names.byName(name, node));
}

function addCycles(
  context: Context,
  tree: TaskTree,
  tasks: Readonly<Record<string, Task>>,
  dependencies: ReadonlyMap<string, readonly string[]>,
): void {
  const graph = new Map<string, readonly string[]>();
  for (const [name, task] of Object.entries(tasks)) {
    const members = task.kind === "command" ? [] : task.members;
    graph.set(name, [...(dependencies.get(name) ?? []), ...members]);
  }
  for (const cycle of findCycles(graph)) {
    const [first = ""] = cycle;
    const pointer = tree.byName.get(first)?.pointer ?? "/tasks";
    const circle = [...cycle, first].join(" → ");
    const message = `cannot order the tasks: they wait for each other in a circle: ${circle}`;
    context.problems.add("CONFIG_CYCLE", pointer, message, "take one of these dependencies out");
  }
}

function addOverlaps(
  context: Context,
  tree: TaskTree,
  tasks: Readonly<Record<string, Task>>,
): void {
  const commands = Object.values(tasks).filter(
    (task): task is CommandTask => task.kind === "command",
  );
  for (const { first, second } of findOverlappingOutputs(commands, context.projectDirectory)) {
    const pointer = `${tree.byName.get(second.task)?.pointer ?? "/tasks"}/outputs`;
    const message = `cannot read the tasks ${first.task} and ${second.task}: their outputs ${JSON.stringify(first.path)} and ${JSON.stringify(second.path)} overlap`;
    const hint =
      "each file is made by one task: give them folders of their own, or take one out with !";
    context.problems.add("CONFIG_OUTPUTS", pointer, message, hint);
  }
  for (const task of commands) {
    const found = findInputInOutput(task, context.projectDirectory);
    if (found === undefined) continue;
    const pointer = `${tree.byName.get(task.name)?.pointer ?? "/tasks"}/outputs`;
    const { input, output } = found;
    const message = `cannot read task ${task.name}: its input ${JSON.stringify(input)} is in its output ${JSON.stringify(output)}, so a hit would undo what you changed there`;
    const hint =
      "a task that changes files in place has no outputs: write `outputs: []`, or `cache: false`";
    context.problems.add("CONFIG_OUTPUTS", pointer, message, hint);
  }
}
