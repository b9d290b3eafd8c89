import { matchesAny, nameMatches } from "../name-matches.ts";
import type { Mode, PluginOptions } from "../plugin-options.ts";
import type { InspectedCommand } from "./inspection.ts";
import { isGlobToNxOnly, placedPattern, type ProjectPlace } from "./target-filesets.ts";

/** Who keeps a task's result, and why it is not who was asked for. */
export type TargetMode =
  | { readonly kind: "nx-native" }
  | { readonly kind: "cuenv"; readonly reason: string | undefined }
  /** Nobody: it runs each time. */
  | { readonly kind: "uncached" };

export interface ModeQuestion {
  readonly options: PluginOptions;
  readonly place: ProjectPlace;
  /** All commands of the project by name. */
  readonly commands: ReadonlyMap<string, InspectedCommand>;
  /** Whether Nx hashes files that git ignores where it is told to: since 23. */
  readonly knowsIncludeIgnored: boolean;
}

/**
 * Nx keeps a result under a hash of what it can see. What it cannot (a secret, an age, a pattern outside of its workspace) is cuenv's to look after: such a
 * task is run with cuenv's cache whatever was asked for, so that no mode ever has a result that the other would not have.
 */
export function targetMode(question: ModeQuestion, command: InspectedCommand): TargetMode {
  const { options } = question;
  if (command.cache === "off" || matchesAny(options.continuous ?? [], command.name))
    return { kind: "uncached" };
  const reason = cuenvReason(question, command);
  if (reason !== undefined) return { kind: "cuenv", reason };
  const asked = Object.entries(options.modes ?? {}).find(([pattern]) =>
    nameMatches(pattern, command.name),
  );
  const mode: Mode = asked?.[1] ?? options.mode ?? "nx-native";
  return mode === "cuenv" ? { kind: "cuenv", reason: undefined } : { kind: "nx-native" };
}

function cuenvReason(question: ModeQuestion, command: InspectedCommand): string | undefined {
  if (command.cache !== "read-write")
    return `its cache mode is ${command.cache}, and Nx' cache is read and written`;
  if (command.maxAgeMs !== null) return "it has a maxAge, which Nx' cache does not know";
  const blind = blindBeneath(question, command, new Set());
  if (blind !== undefined)
    return `${blind} is not cached and declares no outputs, so nobody knows what comes of it`;
  return unseenByNx(question, command, new Set());
}

/** The dependency that nobody can say of what came of it; behind ones without outputs, too, since these count with their keys only. */
function blindBeneath(
  question: ModeQuestion,
  { commands }: InspectedCommand,
  seen: Set<string>,
): string | undefined {
  for (const name of commands) {
    const dependency = question.commands.get(name);
    if (dependency === undefined || (dependency.outputs ?? []).length > 0 || seen.has(name))
      continue;
    seen.add(name);
    const blind = dependency.cache === "off" ? name : blindBeneath(question, dependency, seen);
    if (blind !== undefined) return blind;
  }
  return undefined;
}

/** What is in cuenv's key and cannot be in Nx' hash. A dependency without outputs counts with its own key. */
function unseenByNx(
  question: ModeQuestion,
  command: InspectedCommand,
  seen: Set<string>,
): string | undefined {
  if (seen.has(command.name)) return undefined;
  seen.add(command.name);
  const { place, knowsIncludeIgnored } = question;
  const [secret] = command.environment.secrets;
  if (secret !== undefined) return `the value of ${secret} is a secret`;
  const [printed] = command.printedBy;
  if (printed !== undefined) return `it uses what ${printed} prints`;
  const outside = [
    ...(command.inputs ?? []),
    ...command.extraInputs,
    ...(command.outputs ?? []),
  ].find((pattern) => placedPattern(place, pattern.replace(/^!/, "")) === undefined);
  if (outside !== undefined) return `${outside} lies outside of Nx' workspace`;
  const folder = [place.root, place.cuenvRoot ?? ""].find((path) => /[*?{}()[\]]/.test(path));
  if (folder !== undefined) return `Nx takes the folder ${folder} for a glob`;
  const made = [command, ...command.commands.flatMap((name) => question.commands.get(name) ?? [])]
    .flatMap(({ outputs }) => outputs ?? [])
    .find(isGlobToNxOnly);
  if (made !== undefined) return `Nx takes the output ${made} for another glob than it is`;
  const [ignored] = knowsIncludeIgnored ? [] : command.ignoredInputs;
  if (ignored !== undefined) return `git ignores its input ${ignored}, which Nx sees since 23 only`;
  for (const name of command.commands) {
    const dependency = question.commands.get(name);
    if (dependency === undefined || (dependency.outputs ?? []).length > 0) continue;
    const reason = unseenByNx(question, dependency, seen);
    if (reason !== undefined) return `${name}, which it depends on: ${reason}`;
  }
  return undefined;
}
