import type { CommandTask, Project, Task } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";

export interface GraphCommand {
  readonly task: CommandTask;
  readonly dependencies: readonly string[];
  readonly after: Set<string>;
  readonly limitedBy: Set<string>;
}

/** The part of a project's tasks that a run needs, with groups and sequences dissolved into order between commands. */
export interface TaskGraph {
  /** Adds a task, its members, and (unless left out) what they depend on. */
  readonly add: (name: string) => void;
  /** The commands that a name stands for: itself, or all below a group or sequence, each once. */
  readonly commandsOf: (name: string) => readonly string[];
  /** All commands added, each after those that it waits for, else in the order in which they were added. */
  readonly ordered: () => GraphCommand[];
  readonly limits: ReadonlyMap<string, number>;
}

export function createTaskGraph(project: Project, withDependencies: boolean): TaskGraph {
  const commands = new Map<string, GraphCommand>();
  const limits = new Map<string, number>();
  const commandsOf = memberExpansion(project);
  const added = new Set<string>();

  function add(root: string): void {
    if (added.has(root)) return;
    depthFirst(root, {
      enter(name) {
        added.add(name);
        const task = taskOf(project, name);
        if (task.kind === "command") {
          const dependencies = new Set(task.dependencies.flatMap(commandsOf));
          dependencies.delete(name);
          commands.set(name, {
            task,
            dependencies: [...dependencies],
            after: new Set(),
            limitedBy: new Set(),
          });
        }
        const members = task.kind === "command" ? [] : task.members;
        return withDependencies ? [...task.dependencies, ...members] : members;
      },
      isDone: (name) => added.has(name),
      leave(name) {
        const task = taskOf(project, name);
        if (task.kind !== "command") orderMembers(task);
      },
    });
  }

  function orderMembers(task: Exclude<Task, CommandTask>): void {
    const own = commandsOf(task.name);
    if (withDependencies) putBefore(commands, task.dependencies.flatMap(commandsOf), own);
    if (task.kind === "sequence") {
      let earlier: readonly string[] = [];
      for (const member of task.members) {
        const stage = commandsOf(member);
        const moved = putBefore(commands, earlier, stage);
        earlier = moved ? stage : [...earlier, ...stage];
      }
    } else if (task.maxConcurrency !== undefined && task.maxConcurrency > 0) {
      limits.set(task.name, task.maxConcurrency);
      for (const name of own) commands.get(name)?.limitedBy.add(task.name);
    }
  }

  return { add, commandsOf, ordered: () => topologicalOrder(commands), limits };
}

/**
 * Makes each of `later` wait for all of `earlier`, but for those that `earlier` itself needs: they run before it
 * anyway, and an edge back would close a circle (a sequence [test, build] where test depends on build).
 * Returns whether all of `later` wait now.
 */
function putBefore(
  commands: ReadonlyMap<string, GraphCommand>,
  earlier: readonly string[],
  later: readonly string[],
): boolean {
  if (earlier.length === 0) return true;
  const needed = new Set(earlier);
  for (const name of needed) {
    const command = commands.get(name);
    for (const dependency of command?.dependencies ?? []) needed.add(dependency);
    for (const dependency of command?.after ?? []) needed.add(dependency);
  }
  let all = true;
  for (const name of later) {
    const command = commands.get(name);
    if (command === undefined || needed.has(name)) {
      all = false;
      continue;
    }
    for (const before of earlier)
      if (!command.dependencies.includes(before)) command.after.add(before);
  }
  return all;
}

function memberExpansion(project: Project): (name: string) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  const open: string[] = [];
  return function expand(name: string): readonly string[] {
    const before = known.get(name);
    if (before !== undefined) return before;
    if (open.includes(name)) throw cycle([...open.slice(open.indexOf(name)), name]);
    open.push(name);
    const task = taskOf(project, name);
    const expanded = task.kind === "command" ? [name] : [...new Set(task.members.flatMap(expand))];
    open.pop();
    known.set(name, expanded);
    return expanded;
  };
}

function topologicalOrder(commands: ReadonlyMap<string, GraphCommand>): GraphCommand[] {
  const result: GraphCommand[] = [];
  const seen = new Set<string>();
  for (const root of commands.keys()) {
    if (seen.has(root)) continue;
    depthFirst(root, {
      enter(name) {
        seen.add(name);
        const command = commands.get(name);
        return command === undefined ? [] : [...command.dependencies, ...command.after];
      },
      isDone: (name) => seen.has(name),
      leave(name) {
        const command = commands.get(name);
        if (command !== undefined) result.push(command);
      },
    });
  }
  return result;
}

interface Visitor {
  /** @returns what is visited next, before `leave` */
  readonly enter: (name: string) => readonly string[];
  readonly isDone: (name: string) => boolean;
  readonly leave: (name: string) => void;
}

/** With a stack of its own: chains of thousands of tasks would exhaust the engine's. */
function depthFirst(root: string, visitor: Visitor): void {
  const path: { readonly name: string; readonly children: Iterator<string> }[] = [];
  const open = new Set<string>();
  const enter = (name: string): void => {
    path.push({ name, children: visitor.enter(name).values() });
    open.add(name);
  };
  enter(root);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const child = top.children.next();
    if (child.done === true) {
      visitor.leave(top.name);
      open.delete(top.name);
      path.pop();
    } else if (open.has(child.value)) {
      const names = path.map(({ name }) => name);
      throw cycle([...names.slice(names.indexOf(child.value)), child.value]);
    } else if (!visitor.isDone(child.value)) enter(child.value);
  }
}

function taskOf(project: Project, name: string): Task {
  const task = Object.hasOwn(project.tasks, name) ? project.tasks[name] : undefined;
  if (task !== undefined) return task;
  throw new CuenvError(
    "RUN_TASK_NOT_FOUND",
    `cannot run ${JSON.stringify(name)}: there is no task of that name`,
  );
}

function cycle(path: readonly string[]): CuenvError {
  return new CuenvError(
    "CONFIG_CYCLE",
    `cannot order the tasks: they depend on each other in a circle: ${path.join(" → ")}`,
    {
      hint: "remove one of these dependencies",
    },
  );
}
