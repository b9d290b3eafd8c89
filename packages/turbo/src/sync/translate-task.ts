import type { MissingScript } from "./missing-scripts.ts";
import {
  isNameToCuenvOnly,
  placedPattern,
  sayable,
  turboPattern,
  widened,
} from "./placed-pattern.ts";
import type {
  SyncCommand,
  SyncGroup,
  SyncNote,
  SyncPackage,
  SyncTask,
  SyncWorkspace,
  TurboTask,
} from "./sync-workspace.ts";
import { neutralTask, passedOn } from "./sync-workspace.ts";
import { dependenciesOf, type TaskInputsOf } from "./task-inputs.ts";

/** A workspace, and the inputs of its tasks. */
export interface Translated {
  readonly workspace: SyncWorkspace;
  readonly inputsOf: TaskInputsOf;
}

/** The tasks of a package as turbo.json says them, by name; and what it cannot say. */
export function translateTasks(
  all: Translated,
  owner: SyncPackage,
): {
  readonly tasks: ReadonlyMap<string, TurboTask>;
  readonly missing: readonly MissingScript[];
  readonly notes: readonly SyncNote[];
} {
  const tasks = new Map<string, TurboTask>();
  const missing: MissingScript[] = [];
  const notes: SyncNote[] = [];
  for (const task of owner.tasks) {
    const { name, line } = task;
    const file = owner.path === "" ? "env.cue" : `${owner.path}/env.cue`;
    const say = (message: string): void => void notes.push({ file, line, task: name, message });
    if (boundTo(owner, name) !== name) continue;
    if (!/^[^#$^\s][^#]*$/.test(name)) say("left out: turbo takes no such name");
    // Turbo takes a task of the root that runs turbo for a circle.
    else if (owner.path === "" && /\bturbo\b/.test(owner.scripts[name] ?? ""))
      say("left out: its script runs turbo");
    else if (task.kind === "command" && task.refused !== null)
      say(`left out: ${task.refused.message}`);
    else {
      const isCommand = task.kind === "command";
      const make = isCommand ? commandTask(all, owner, task, say) : groupTask(all, owner, task);
      tasks.set(name, make);
      const runs = isCommand || isWhole(owner, task);
      if (runs && !Object.hasOwn(owner.scripts, name))
        missing.push({ owner, name, line: scriptOf(task) });
    }
  }
  return { tasks, missing, notes };
}

type Say = (message: string) => void;

/** What runs a task for turbo, without what turbo runs before it. What others print is known to who ran them. */
function scriptOf(task: SyncTask): string {
  const only = task.kind === "command" && task.printedBy.length === 0 ? " --only" : "";
  return `cuenv task ${shown(task.name)}${only}`;
}

function groupTask(all: Translated, owner: SyncPackage, group: SyncGroup): TurboTask {
  const names = [...group.dependencies, ...group.members];
  const own = named(owner, names).filter((name) => name !== group.name);
  if (!isWhole(owner, group)) return { ...neutralTask, cache: false, dependsOn: own };
  const bound = owner.tasks.filter(
    (task): task is SyncCommand =>
      task.kind === "command" && boundTo(owner, task.name) === group.name,
  );
  // Those that turbo runs, too, are to be over by then: cuenv would run them at the same time.
  const makers = bound.flatMap((command) => makerNames(all, owner, command));
  const dependsOn = [...new Set([...own, ...makers])];
  const env = owner.hasEnvironments ? ["CUENV_ENV"] : [];
  return { ...neutralTask, cache: false, dependsOn, env, passThroughEnv: passedOn.all };
}

function makerNames(all: Translated, owner: SyncPackage, command: SyncCommand): readonly string[] {
  const { makers } = all.inputsOf(owner, command);
  return [...new Set(makers.map((maker) => `${maker.owner.name}#${maker.command.name}`))];
}

function commandTask(
  all: Translated,
  owner: SyncPackage,
  command: SyncCommand,
  say: Say,
): TurboTask {
  const { name, environment, runtime } = command;
  const runsCuenv = /\bcuenv\b/.test(owner.scripts[name] ?? "cuenv");
  if (!runsCuenv && environment.set.length > 0)
    say(
      `its script does not get ${environment.set.join(", ")}, which env.cue sets, unless it is "${scriptOf(command)}"`,
    );
  const { inputs } = all.inputsOf(owner, command);
  const dependsOn = [...named(owner, command.dependencies), ...makerNames(all, owner, command)];
  const env = variablesOf(owner, command, runsCuenv);
  if (command.cache === "off") {
    // Such a task sees all variables.
    const passThroughEnv = runsCuenv ? passedOn.all : [];
    return { ...neutralTask, cache: false, dependsOn, env, passThroughEnv };
  }
  const reason = unseen(all, owner, command, new Set());
  if (reason !== undefined) say(`not cached by turbo: ${reason}`);
  const tools = runtime.filter((line) => !all.workspace.runtime.includes(line));
  if (tools.length > 0 && reason === undefined)
    say(
      `turbo's hash does not have what ${tools.map((line) => `\`${line}\``).join(", ")} prints; as \`runtime\` of the root's env.cue, cuenv turbo keeps caches apart by it`,
    );
  if (environment.mode === "loose")
    say("envMode loose is not translated: turbo has it for all tasks only (--env-mode)");
  return {
    cache: reason === undefined,
    dependsOn,
    inputs,
    outputs: (command.outputs ?? []).flatMap(sayable).flatMap((output) => outputOf(owner, output)),
    env,
    passThroughEnv: !runsCuenv ? [] : reason === undefined ? passedOn.own : passedOn.all,
  };
}

/** What is in cuenv's key and in no hash of turbo's. Then turbo does not keep the result; cuenv does, where the script runs it. */
function unseen(
  all: Translated,
  owner: SyncPackage,
  command: SyncCommand,
  seen: Set<SyncCommand>,
): string | undefined {
  seen.add(command);
  if (command.cache !== "read-write")
    return `its cache mode is ${command.cache}, and turbo's is one for all tasks (TURBO_CACHE)`;
  if (command.maxAgeMs !== null) return "it has a maxAge, which turbo does not know";
  const [secret] = command.environment.secrets;
  if (secret !== undefined) return `the value of ${secret} is a secret`;
  const [printed] = command.printedBy;
  if (printed !== undefined) return `it uses what ${printed} prints`;
  const { makers, outside } = all.inputsOf(owner, command);
  const away = outside ?? command.outputs?.find((each) => outputOf(owner, each).length === 0);
  if (away !== undefined) return `${away} lies outside of turbo's workspace`;
  const needed = [
    ...dependenciesOf(owner, command).map((each) => ({ owner, command: each })),
    ...makers,
  ];
  for (const each of needed) {
    if (seen.has(each.command)) continue;
    const name =
      each.owner === owner ? each.command.name : `${each.owner.name}#${each.command.name}`;
    if (each.command.cache === "off")
      return `${name} is not cached, and turbo's hash does not have what it makes`;
    const reason = unseen(all, each.owner, each.command, seen);
    if (reason !== undefined) return `${name}, which it depends on: ${reason}`;
  }
  return undefined;
}

function outputOf(owner: SyncPackage, output: string): readonly string[] {
  const isNegative = output.startsWith("!");
  const place = placedPattern(owner, widened(isNegative ? output.slice(1) : output));
  if (place === undefined) return [];
  const pattern = turboPattern(owner, place === owner.path ? `${place}/**` : place);
  // A folder counts with all that is in it, by whichever pattern it is named.
  const last = pattern.slice(pattern.lastIndexOf("/") + 1);
  const isOpen = isNameToCuenvOnly(output) || (/[*?]/.test(last) && last !== "**");
  const forms = isOpen ? [pattern, `${pattern}/**`] : [pattern];
  return forms.map((form) => `${isNegative ? "!" : ""}${form}`);
}

function variablesOf(
  { hasEnvironments }: SyncPackage,
  { environment: { host, include, exclude } }: SyncCommand,
  runsCuenv: boolean,
): readonly string[] {
  const wanted = include.map((name) => name.replaceAll("?", "*").replaceAll(/\[[^\]]*\]/g, "*"));
  const unwanted = exclude.filter((name) => !/[?[]/.test(name) && !host.includes(name));
  return [
    ...new Set([
      ...host,
      ...wanted,
      ...(hasEnvironments && runsCuenv ? ["CUENV_ENV"] : []),
      ...(wanted.length > 0 ? unwanted.map((name) => `!${name}`) : []),
    ]),
  ];
}

function named(owner: SyncPackage, names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => boundTo(owner, name)))];
}

/** The group or sequence that a task is only run with; the task itself, if it is none of one. */
function boundTo({ tasks, scripts }: SyncPackage, name: string): string {
  const group = tasks.find(
    (task) =>
      task.kind !== "command" &&
      isWhole({ scripts }, task) &&
      (name.startsWith(`${task.name}.`) || name.startsWith(`${task.name}[`)),
  );
  return group?.name ?? name;
}

/** Whether cuenv runs it with all that is in it: turbo has no place for its order or its bound, or a script says so. */
function isWhole({ scripts }: Pick<SyncPackage, "scripts">, group: SyncGroup): boolean {
  return !group.free || Object.hasOwn(scripts, group.name);
}

function shown(name: string): string {
  return /^[\w:.@/-]+$/.test(name) ? name : `'${name}'`;
}
