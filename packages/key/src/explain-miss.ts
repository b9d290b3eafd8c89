import { commandDifference } from "./command-difference.ts";
import {
  type Cause,
  type CauseKind,
  causeOf,
  compare,
  type Components,
  group,
  listCause,
  shorten,
} from "./cause.ts";
import { declarationCause, type ExplainOptions, inputCause } from "./input-causes.ts";
import type { KeyInputs, KeyVariable } from "./key-inputs.ts";
import { shortPair } from "./short-pair.ts";

/**
 * Why the key of a task is not what it was, the most telling cause first: what changes every key, then files, then the
 * rest; what dependencies made last. Empty when nothing differs.
 */
export function explainMiss(
  earlier: KeyInputs | undefined,
  now: KeyInputs,
  options: ExplainOptions = {},
): Cause[] {
  if (earlier === undefined) {
    return [{ kind: "first", name: now.task, text: "no result stored yet", components: [] }];
  }
  const { without = new Set() } = options;
  const [previous, current] = [withoutTasks(earlier, without), withoutTasks(now, without)];
  const differences: (Cause | undefined)[] = [
    single("schema", "key format", `${previous.keySchema}`, `${current.keySchema}`),
    single("digestFunction", "digest function", previous.digestFunction, current.digestFunction),
    single("epoch", "key epoch", `${previous.keyEpoch}`, `${current.keyEpoch}`),
    single("namespace", "namespace", previous.namespace, current.namespace),
    single("cacheKey", "cacheKey", previous.cacheKey, current.cacheKey),
    declarationCause(previous, current),
    inputCause("file", previous, current, options),
    listCause("variable", ["variable", "variables"], variables(previous), variables(current)),
    single(
      "environmentMode",
      "envMode",
      previous.environmentMode ?? "strict",
      current.environmentMode ?? "strict",
    ),
    commandCause(previous, current),
    single(
      "workingDirectory",
      "working directory",
      previous.workingDirectory || ".",
      current.workingDirectory || ".",
    ),
    listCause("outputs", ["output", "outputs"], keysOf(previous.outputs), keysOf(current.outputs)),
    toolCause(tools(previous), tools(current)),
    single("platform", "platform", platform(previous), platform(current)),
    listCause(
      "customComponent",
      ["key component", "key components"],
      components(previous),
      components(current),
    ),
    single("timeout", "timeout", milliseconds(previous.timeoutMs), milliseconds(current.timeoutMs)),
    // What changed a dependency (a variable, a tool) is most often told above already.
    inputCause("dependencyOutput", previous, current, options),
    dependencyCause(previous, current),
  ];
  return differences.filter((cause) => cause !== undefined);
}

function withoutTasks(inputs: KeyInputs, tasks: ReadonlySet<string>): KeyInputs {
  if (tasks.size === 0) return inputs;
  const isKept = (producer: string | undefined): boolean =>
    producer === undefined || !tasks.has(producer);
  return {
    ...inputs,
    inputs: inputs.inputs.filter(({ path }) => isKept(inputs.producers[path])),
    dependencies: inputs.dependencies.filter(({ task }) => isKept(task)),
  };
}

function commandCause(previous: KeyInputs, current: KeyInputs): Cause | undefined {
  const found = commandDifference(previous.command, current.command);
  if (found === undefined) return undefined;
  const { kind, ...difference } = found;
  return causeOf(kind, difference);
}

function single(
  kind: CauseKind,
  name: string,
  before: string | undefined,
  after: string | undefined,
): Cause | undefined {
  if (before === after) return undefined;
  const text =
    before === undefined || after === undefined
      ? `${name} ${after === undefined ? "removed" : "set"}`
      : `${name} changed: ${shortPair(before, after)}`;
  return causeOf(kind, { name, before, after, text });
}

function keysOf(names: readonly string[]): Components {
  return new Map(names.map((name) => [name, ""]));
}

function variables(inputs: KeyInputs): Components {
  const valueOf = (variable: KeyVariable): string =>
    "hmac" in variable ? `secret ${variable.hmac.slice(0, 8)}` : variable.value;
  return new Map(inputs.variables.map((variable) => [variable.name, valueOf(variable)]));
}

function tools(inputs: KeyInputs): Components {
  return new Map(inputs.tools.map(({ command, output }) => [command, output]));
}

function components(inputs: KeyInputs): Components {
  return new Map(inputs.customComponents.map(({ name, value }) => [name, value]));
}

function platform({ platform: { os, arch } }: KeyInputs): string {
  return `${os} ${arch}`;
}

function milliseconds(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value} ms`;
}

/** What a tool says is short, and the answer. */
function toolCause(before: Components, after: Components): Cause | undefined {
  const changed = compare(before, after);
  const [first] = changed;
  const { before: was, after: is } = first ?? {};
  if (first === undefined || changed.length > 1 || was === undefined || is === undefined) {
    return group("tool", changed, "tool ", "tools");
  }
  const text = `${shorten(first.name)} changed: ${shortPair(was, is)}`;
  return { kind: "tool", ...first, text, components: changed };
}

function dependencyCause(previous: KeyInputs, current: KeyInputs): Cause | undefined {
  const keys = ({ dependencies }: KeyInputs): Components =>
    new Map(dependencies.map(({ task, key }) => [task, key]));
  const [before, after] = [keys(previous), keys(current)];
  // A dependency that was only renamed has the same key.
  const same = (left: Components, right: Components): boolean =>
    left.size === right.size &&
    [...left.values()].toSorted().join() === [...right.values()].toSorted().join();
  return same(before, after)
    ? undefined
    : listCause("dependency", ["dependency", "dependencies"], before, after);
}
