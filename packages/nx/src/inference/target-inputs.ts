import type { TargetInput } from "../nx-api.ts";
import type { InspectedCommand } from "./inspection.ts";
import { runtimeInput, variablesInput } from "./runtime-input.ts";
import {
  excludedFilesets,
  filesets,
  includedFilesets,
  type ProjectPlace,
} from "./target-filesets.ts";

export interface InputQuestion {
  readonly place: ProjectPlace;
  /** Absolute. */
  readonly workspaceRoot: string;
  readonly commands: ReadonlyMap<string, InspectedCommand>;
}

/**
 * What Nx hashes for a task: files, variables, tools, and what its dependencies made. Command, variables that env.cue sets and the rest are in the
 * target's options, as a digest. No lockfile: what is not declared does not count.
 */
export function targetInputs(
  question: InputQuestion,
  command: InspectedCommand,
): readonly TargetInput[] {
  const found: TargetInput[] = ownInputs(question, command, new Set());
  if (command.commands.some((name) => hasOutputs(question.commands.get(name))))
    found.push({ dependentTasksOutputFiles: "**/*", transitive: false });
  found.push({ externalDependencies: [] });
  const texts = new Set<string>();
  return found.filter((input) => {
    const text = JSON.stringify(input);
    if (texts.has(text)) return false;
    texts.add(text);
    return true;
  });
}

/** Of a task, and of its dependencies that make nothing: these count with all that is theirs. */
function ownInputs(
  question: InputQuestion,
  command: InspectedCommand,
  seen: Set<string>,
): TargetInput[] {
  if (seen.has(command.name)) return [];
  seen.add(command.name);
  const { environment, runtime } = command;
  const names = [...environment.host, ...environment.include.filter((name) => !/[*?]/.test(name))];
  const hasGlobs = environment.include.some((name) => /[*?]/.test(name));
  return [
    ...(command.hasCacheKey ? [] : fileInputs(question, command)),
    ...[...new Set(names)].map((env) => ({ env })),
    ...(hasGlobs ? [variablesInput(question.workspaceRoot, environment)] : []),
    ...runtime.map((line) => runtimeInput(question.workspaceRoot, question.place.root, line)),
    ...command.commands.flatMap((name) => {
      const dependency = question.commands.get(name);
      if (dependency === undefined || hasOutputs(dependency)) return [];
      return ownInputs(question, dependency, seen);
    }),
  ];
}

function hasOutputs(command: InspectedCommand | undefined): boolean {
  return (command?.outputs ?? []).length > 0;
}

function fileInputs(
  { place, commands }: InputQuestion,
  command: InspectedCommand,
): readonly TargetInput[] {
  const { inputs, extraInputs, ignoreInputs, ignoredInputs } = command;
  const made = [command, ...command.commands.flatMap((name) => commands.get(name) ?? [])].flatMap(
    ({ outputs }) => outputs ?? [],
  );
  const isMade = (pattern: string): boolean =>
    made.some((output) => pattern === output || pattern.startsWith(`${baseOf(output)}/`));
  const positive = [
    ...filesets(place, inputs ?? ["."]),
    ...filesets(place, extraInputs),
    ...ignoredInputs
      .filter((pattern) => !isMade(pattern))
      .flatMap((pattern) => includedFilesets(place, pattern))
      .flatMap((fileset) =>
        fileset === undefined ? [] : [{ fileset, includeIgnored: true } as const],
      ),
  ].filter((input) => input !== undefined);
  const included = positive.filter(
    (input): input is string => typeof input === "string" && !input.startsWith("!"),
  );
  // Nx would take a list that only leaves out for all files.
  if (included.length === 0) return positive.filter((input) => typeof input !== "string");
  // What is taken out of outputs may be an input again.
  const outputs = made.some((pattern) => pattern.startsWith("!")) ? [] : made;
  const negative = [...ignoreInputs, ...outputs]
    .flatMap((pattern) => excludedFilesets(place, pattern))
    .filter((fileset) => included.some((input) => meet(input, fileset.slice(1))));
  return [...positive, ...negative];
}

/** The part of a pattern before its first wildcard. */
function baseOf(pattern: string): string {
  const segments = pattern.split("/");
  const wild = segments.findIndex(
    (segment) => /[*?[{]/.test(segment) && !/^\{\w+Root\}$/.test(segment),
  );
  return (wild < 0 ? segments : segments.slice(0, wild)).join("/").replace(/\/$/, "");
}

/** False where no path can match both. */
function meet(left: string, right: string): boolean {
  const [first, second] = [baseOf(left), baseOf(right)];
  return (
    first === second ||
    first === "" ||
    second === "" ||
    first.startsWith(`${second}/`) ||
    second.startsWith(`${first}/`)
  );
}
