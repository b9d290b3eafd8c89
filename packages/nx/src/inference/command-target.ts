import { matchesAny } from "../name-matches.ts";
import type { Target } from "../nx-api.ts";
import type { InspectedCommand, InspectedProject, InspectedTask } from "./inspection.ts";
import { quoted } from "./runtime-input.ts";
import { placedPattern } from "./target-filesets.ts";
import { targetInputs } from "./target-inputs.ts";
import { type ModeQuestion, targetMode, type TargetMode } from "./target-mode.ts";
import { targetName } from "./target-name.ts";

export interface TargetQuestion extends ModeQuestion {
  readonly project: InspectedProject;
  /** Absolute. */
  readonly workspaceRoot: string;
  /** Tasks, groups and sequences by name. */
  readonly tasks: ReadonlyMap<string, InspectedTask>;
}

/** Has the digest of the definition that Nx' hash is of; the task is refused where another one is found when it runs. */
export const definitionVariable = "CUENV_TASK_DEFINITION";

/** Said on the command line for each mode: Nx runs what a task depends on, and keeps its result where it is Nx' to keep. */
const flags: Readonly<Record<TargetMode["kind"], string>> = {
  "nx-native": "--only --uncached",
  cuenv: "--only",
  uncached: "--only",
};

/**
 * The target of one command. It runs `cuenv-nx task NAME` by nx:run-commands, which starts it from Nx' own process: an executor of ours would be a process of
 * Node's with all of Nx in it before, for each task (decision 0111).
 */
export function commandTarget(question: TargetQuestion, command: InspectedCommand): Target {
  const { place, project, options } = question;
  const mode = targetMode(question, command);
  const isContinuous = matchesAny(options.continuous ?? [], command.name);
  // What others print is known to who ran them: those are then cuenv's to run.
  const isWhole = command.printedBy.length > 0;
  const given = [
    ...(isWhole ? [] : [flags[mode.kind]]),
    // A hit would end at once what is to run until it is ended.
    ...(isContinuous ? ["--uncached"] : []),
  ];
  const line = ["cuenv-nx task", quoted(command.name), ...given, "--"].join(" ");
  const env = environmentOf(options, command.definition, usualEnvironment(question));
  const cwd = place.root;
  const configurations = project.environments.map(({ name, definitions }) => {
    const definition = definitions[command.name] ?? command.definition;
    return [name, { env: environmentOf(options, definition, name) }] as const;
  });
  const names = dependencyTargets(question, command, isWhole);
  return {
    executor: "nx:run-commands",
    options: { command: line, cwd, env },
    ...(configurations.length === 0 ? {} : { configurations: Object.fromEntries(configurations) }),
    cache: mode.kind === "nx-native",
    ...(isContinuous ? { continuous: true } : {}),
    ...(mode.kind === "nx-native" ? { inputs: targetInputs(question, command) } : {}),
    outputs: (command.outputs ?? []).flatMap((output) => outputOf(question, output)),
    ...(names.length === 0 ? {} : { dependsOn: names.map(dependency) }),
    metadata: metadataOf(question, command, mode),
  };
}

/** A group or sequence: nothing but what it stands for; or one run of cuenv, where it says more than its members do. */
export function groupTarget(
  question: TargetQuestion,
  group: Exclude<InspectedTask, InspectedCommand>,
): Target {
  const metadata = { technologies: ["cuenv"], ...described(group.description) };
  if (group.free) {
    const names = [...group.dependencies, ...group.members].map(targetName);
    return {
      executor: "nx:noop",
      cache: false,
      dependsOn: [...new Set(names)].map(dependency),
      metadata,
    };
  }
  const env = environmentOf(question.options, undefined, usualEnvironment(question));
  return {
    executor: "nx:run-commands",
    options: {
      command: `cuenv-nx task ${quoted(group.name)} --`,
      cwd: question.place.root,
      ...(Object.keys(env).length === 0 ? {} : { env }),
    },
    cache: false,
    metadata,
  };
}

/**
 * One that fails and says why, because it would not do what it should. Nx prints the command twice, so the words are not in it. It looks for tokens of its own in
 * options, and ends everything over a `{workspaceRoot}` that does not begin one: so no brace is left.
 */
export function refusedTarget({ place }: Pick<TargetQuestion, "place">, text: string): Target {
  const encoded = text.replaceAll("%", "%25").replaceAll("{", "%7B");
  return {
    executor: "nx:run-commands",
    options: { command: "cuenv-nx refuse", cwd: place.root, env: { CUENV_NX_REFUSAL: encoded } },
    cache: false,
    metadata: { technologies: ["cuenv"], description: text },
  };
}

/** That of the option, where the project has it; else none (empty), whatever the caller's own CUENV_ENV says, as for the other projects. */
function usualEnvironment({ options, project }: TargetQuestion): string | undefined {
  return options.environment === undefined ? undefined : (project.environment ?? "");
}

/** Variables of cuenv's own: which definition Nx has made its hash of, and which environment and package that is of. */
function environmentOf(
  options: TargetQuestion["options"],
  definition: string | undefined,
  environment: string | undefined,
): Readonly<Record<string, string>> {
  return {
    ...(definition === undefined ? {} : { [definitionVariable]: definition }),
    ...(environment === undefined ? {} : { CUENV_ENV: environment }),
    ...(options.package === undefined ? {} : { CUENV_PACKAGE: options.package }),
  };
}

/** Groups stand as their members, but for those that are more than these: they are targets that cuenv runs as a whole. */
function dependencyTargets(
  { tasks }: TargetQuestion,
  command: InspectedCommand,
  isWhole: boolean,
): readonly string[] {
  if (isWhole) return [];
  const bound = command.dependencies.filter((name) => {
    const task = tasks.get(name);
    return task !== undefined && task.kind !== "command" && !task.free;
  });
  const inBound = new Set(bound.flatMap((name) => membersOf(tasks, name)));
  const names = [...bound, ...command.commands.filter((name) => !inBound.has(name))];
  return names.map(targetName);
}

function membersOf(tasks: TargetQuestion["tasks"], name: string): readonly string[] {
  const task = tasks.get(name);
  if (task === undefined || task.kind === "command") return [name];
  return task.members.flatMap((member) => membersOf(tasks, member));
}

/** With a colon a name would be a project's and a target's. */
function dependency(name: string): string | { readonly target: string } {
  return name.includes(":") ? { target: name } : name;
}

function outputOf({ place }: TargetQuestion, output: string): readonly string[] {
  const isNegative = output.startsWith("!");
  const placed = placedPattern(place, isNegative ? output.slice(1) : output);
  return placed === undefined ? [] : [`${isNegative ? "!" : ""}${placed.replace(/\/$/, "")}`];
}

function metadataOf(
  { place }: TargetQuestion,
  command: InspectedCommand,
  mode: TargetMode,
): Target["metadata"] {
  const why = mode.kind === "cuenv" && mode.reason !== undefined ? mode.reason : undefined;
  const kept = why === undefined ? undefined : `Cached by cuenv: ${why}`;
  const description = [command.refused?.message ?? command.description, kept]
    .filter((text) => text !== null && text !== undefined)
    .join(". ");
  const args = command.parameters.map((parameter) =>
    parameter.position === null
      ? `--${parameter.name}=${parameter.default ?? "…"}`
      : (parameter.default ?? parameter.name),
  );
  return {
    technologies: ["cuenv"],
    ...described(description === "" ? null : description),
    ...(args.length === 0
      ? {}
      : {
          help: {
            command: `cuenv task ${command.name} -C ${place.root} --help`,
            example: { args },
          },
        }),
  };
}

function described(description: string | null): { readonly description?: string } {
  return description === null ? {} : { description };
}
