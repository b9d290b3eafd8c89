import type { Digest } from "@cuenv/digest";
import { commandDifference, type Difference } from "./command-difference.ts";
import type { InputNode, KeyInputs, KeyVariable } from "./key-inputs.ts";

export type CauseKind =
  | "first"
  | "schema"
  | "digestFunction"
  | "epoch"
  | "namespace"
  | "cacheKey"
  | "file"
  | "dependencyOutput"
  | "dependency"
  | "variable"
  | "command"
  | "workingDirectory"
  | "outputs"
  | "tool"
  | "platform"
  | "customComponent"
  | "timeout";

/** One component of a key that differs; `before` or `after` is missing where there was none. */
export interface ChangedComponent {
  readonly name: string;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

/** Why two keys differ: all components of one kind. */
export interface Cause {
  readonly kind: CauseKind;
  /** Of the first component. */
  readonly name: string;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  /** In a few words, for one line: "src/index.ts changed". */
  readonly text: string;
  readonly components: readonly ChangedComponent[];
}

/**
 * Why the key of a task is not what it was, the most telling cause first: what changes every key, then files, then the
 * rest. Empty when nothing differs.
 */
export function explainMiss(previous: KeyInputs | undefined, current: KeyInputs): Cause[] {
  if (previous === undefined) {
    return [{ kind: "first", name: current.task, text: "first run", components: [] }];
  }
  const differences: (Cause | undefined)[] = [
    single("schema", "key format", `${previous.keySchema}`, `${current.keySchema}`),
    single("digestFunction", "digest function", previous.digestFunction, current.digestFunction),
    single("epoch", "key epoch", `${previous.keyEpoch}`, `${current.keyEpoch}`),
    single("namespace", "namespace", previous.namespace, current.namespace),
    single("cacheKey", "cacheKey", previous.cacheKey, current.cacheKey),
    inputCause("file", previous, current),
    inputCause("dependencyOutput", previous, current),
    dependencyCause(previous, current),
    listCause("variable", ["variable", "variables"], variables(previous), variables(current)),
    causeOf("command", commandDifference(previous.command, current.command)),
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
  ];
  return differences.filter((cause) => cause !== undefined);
}

function causeOf(kind: CauseKind, difference: Difference | undefined): Cause | undefined {
  return difference && { kind, ...difference, components: [difference] };
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
      : `${name} changed: ${shorten(before)} → ${shorten(after)}`;
  return causeOf(kind, { name, before, after, text });
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 40 ? `${line.slice(0, 39)}…` : line;
}

type Components = ReadonlyMap<string, string>;

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

function compare(before: Components, after: Components): ChangedComponent[] {
  const changed: ChangedComponent[] = [];
  for (const [name, value] of after) {
    if (before.get(name) !== value) changed.push({ name, before: before.get(name), after: value });
  }
  for (const [name, value] of before) {
    if (!after.has(name)) changed.push({ name, before: value, after: undefined });
  }
  return changed;
}

/** How many names a line gives. */
const namesShown = 3;

function listCause(
  kind: CauseKind,
  [noun, plural]: readonly [noun: string, plural: string],
  before: Components,
  after: Components,
): Cause | undefined {
  return group(kind, compare(before, after), `${noun} `, plural);
}

/** What a tool says is short, and the answer. */
function toolCause(before: Components, after: Components): Cause | undefined {
  const changed = compare(before, after);
  const [first] = changed;
  const { before: was, after: is } = first ?? {};
  if (first === undefined || changed.length > 1 || was === undefined || is === undefined) {
    return group("tool", changed, "tool ", "tools");
  }
  const text = `${shorten(first.name)} changed: ${shorten(was)} → ${shorten(is)}`;
  return { kind: "tool", ...first, text, components: changed };
}

function group(
  kind: CauseKind,
  changed: readonly ChangedComponent[],
  prefix: string,
  plural: string,
): Cause | undefined {
  const [first] = changed;
  if (first === undefined) return undefined;
  const names = changed.slice(0, namesShown).map(({ name }) => name);
  if (changed.length > namesShown) names.push("…");
  const text =
    changed.length === 1
      ? `${prefix}${shortenPath(first.name)} ${verb(first)}`
      : `${changed.length} ${plural} ${sharedVerb(changed)}: ${names.map(shortenPath).join(", ")}`;
  return { kind, ...first, text, components: changed };
}

/** The end of a path says more than its beginning. */
function shortenPath(path: string): string {
  return path.length > 60 ? `…${path.slice(-59)}` : path;
}

function verb({ before, after }: ChangedComponent): string {
  if (before === undefined) return "added";
  return after === undefined ? "removed" : "changed";
}

function sharedVerb(changed: readonly ChangedComponent[]): string {
  const verbs = new Set(changed.map(verb));
  return verbs.size === 1 ? [...verbs].join("") : "changed";
}

function contentOf(node: InputNode): string {
  if (node.kind === "file")
    return `${describe(node.digest)}${node.executable ? " executable" : ""}`;
  return node.kind === "symlink" ? `link to ${node.target}` : "folder";
}

function describe(digest: Digest): string {
  return `${digest.hash.slice(0, 16)} (${digest.sizeBytes} bytes)`;
}

/** Files of the task's own, or outputs of its dependencies. A path that changed sides counts where it is now. */
function inputCause(
  kind: "file" | "dependencyOutput",
  previous: KeyInputs,
  current: KeyInputs,
): Cause | undefined {
  const before = new Map(previous.inputs.map((node) => [node.path, contentOf(node)]));
  const after = new Map(current.inputs.map((node) => [node.path, contentOf(node)]));
  const producerOf = (path: string): string | undefined =>
    current.producers[path] ?? (after.has(path) ? undefined : previous.producers[path]);
  const wanted = kind === "dependencyOutput";
  const changed = compare(before, after).filter(
    ({ name }) => (producerOf(name) !== undefined) === wanted,
  );
  if (!wanted) return renamed(changed) ?? group(kind, changed, "", "inputs");
  const producers = [...new Set(changed.map(({ name }) => producerOf(name) ?? ""))];
  const whose = producers.length === 1 ? producers.join("") : `${producers.length} dependencies`;
  return group(kind, changed, `output of ${whose} `, `outputs of ${whose}`);
}

function renamed(changed: readonly ChangedComponent[]): Cause | undefined {
  const [after, before] = changed;
  if (changed.length !== 2 || after?.before !== undefined || before?.after !== undefined) {
    return undefined;
  }
  if (after === undefined || before === undefined || after.after !== before.before)
    return undefined;
  const text = `${shortenPath(before.name)} renamed to ${shortenPath(after.name)}`;
  return { kind: "file", ...before, text, components: changed };
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
