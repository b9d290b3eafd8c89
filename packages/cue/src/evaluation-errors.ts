import { CuenvError, type Location, nearName } from "@cuenv/errors";
import { nativePath } from "./decode-answer.ts";
import { isFreeField, knownFields } from "./known-fields.ts";
import type { Problem } from "./wire.ts";

/** Where the user wrote what a problem is about. */
export function locationOf({ positions = [] }: Problem, directory: string): Location {
  const position = positions.at(-1);
  if (position === undefined) return { file: directory };
  return { file: nativePath(position.file), line: position.line, column: position.column };
}

/**
 * CUE's errors of one evaluation, each mistake once. A value that fits no side of a disjunction is an error for each
 * side, and one for everything around it: what counts is the innermost place. Those of our schema are said in the
 * schema's words.
 */
export function errorsOfEvaluation(
  problems: readonly Problem[],
  directory: string,
): readonly CuenvError[] {
  const circle = circleOfTasks(problems, directory);
  if (circle !== undefined) return [circle];
  const errors = new Map<string, CuenvError>();
  for (const [name, group] of groupByPath(problems)) {
    const path = group[0]?.path ?? [];
    const said = group.filter((problem) => !isSummary(problem));
    const [problem] = said.length > 0 ? said : group;
    if (problem === undefined) continue;
    const isOfSchema =
      said.length === 0 ||
      said.some(
        ({ schemaPositions = [], message }) =>
          schemaPositions.length > 0 || message === "field not allowed",
      );
    const wrong = isOfSchema ? unknownField(path) : undefined;
    if (wrong !== undefined) {
      const shown = wrong.path.join(".");
      // The outermost problem at the field itself has the best position.
      const location = locationOf(nearestPlace(problems, wrong.path) ?? problem, directory);
      const message = `cannot use ${shown}: there is no such field`;
      errors.set(shown, new CuenvError("CUE_INVALID", message, { location, hint: wrong.hint }));
      continue;
    }
    const placed = said.find(hasPlace) ?? nearestPlace(problems, path) ?? problem;
    const location = locationOf(placed, directory);
    const hint = hintOf(path, said);
    const hinted = hint === undefined ? { location } : { location, hint };
    if (isOfSchema && isOfOurs(path)) {
      const what = said.some(isJoining) ? joined : (mismatch(said) ?? shortened(problem.message));
      const message = `cannot use ${name}: ${what}`;
      errors.set(name, new CuenvError("CUE_INVALID", message, hinted));
    } else {
      const what = name === "" ? directory : name;
      const message = `cannot evaluate ${what}: ${shortened(problem.message)}`;
      errors.set(`${name}\0${message}`, new CuenvError("CUE_EVALUATION", message, hinted));
    }
  }
  return [...errors.values()];
}

/** References that lead back to where they begin. What CUE says besides follows from that: no task of the circle has an end. */
function circleOfTasks(problems: readonly Problem[], directory: string): CuenvError | undefined {
  const problem = problems.find(
    ({ message, path = [] }) =>
      message === "structural cycle" && path[0] === "tasks" && path.includes("dependsOn"),
  );
  if (problem === undefined) return undefined;
  const { path = [] } = problem;
  const name = path.slice(1, path.indexOf("dependsOn")).join(".");
  return new CuenvError(
    "CONFIG_CYCLE",
    `cannot order the tasks: \`dependsOn\` of ${name} leads back to ${name}`,
    {
      location: locationOf(problem, directory),
      hint: "a task cannot run after itself: take one of the references away",
    },
  );
}

const isSummary = ({ message }: Problem): boolean =>
  /^\d+ errors in empty disjunction/.test(message);
/** A reference stands where it may not; not a task that has a field `stdout` of its own, nor what the schema says of these fields. */
const isReferring = ({ message, path = [] }: Problem): boolean =>
  message.replaceAll(/#OutputReference & \{[^}]*\}/g, "").includes("cuenvOutput") &&
  !["stdout", "stderr", "exitCode"].includes(path.at(-1) ?? "");
const isJoining = (problem: Problem): boolean =>
  problem.message.startsWith("invalid interpolation") && isReferring(problem);
const joined = "another task's output cannot stand within a text";

function hintOf(path: readonly string[], said: readonly Problem[]): string | undefined {
  if (said.some(isJoining))
    return 'such a reference is a whole argument; to join it with text, make it a part of a variable: `env: LABEL: ["v", version.stdout]`';
  if (said.some(isReferring))
    return "what refers to another task's output is a struct, and the definition that holds here has to allow it: `args: [...(string | {...})]`";
  if (!isNode(path) || !said.some(({ message }) => message.startsWith('conflicting values "')))
    return undefined;
  const field = isIndex(path.at(-1) ?? "") ? path.at(-2) : path.at(-1);
  if (path.length > 2 && cacheFields.has(field ?? ""))
    return `\`${field}\` is a field of \`cacheConfig\`, not of the task: \`cacheConfig: ${field}: …\``;
  return isIndex(path.at(-1) ?? "")
    ? "a list of tasks is a sequence, and holds tasks and not their names: write them without quotes. Names are for `dependencies`"
    : "a task is a struct: write the text as its `command`";
}

/** What is often written one level too high. */
const cacheFields = new Set(knownFields(["tasks", "task", "cacheConfig"]));

/** Where a task, a group or a sequence stands. */
const isNode = (path: readonly string[]): boolean =>
  path[0] === "tasks" && path.length > 1 && knownFields(path).includes("command");
const isIndex = (name: string): boolean => /^\d+$/.test(name);
const hasPlace = ({ positions = [] }: Problem): boolean => positions.length > 0;
const isOfOurs = ([first = ""]: readonly string[]): boolean => knownFields([]).includes(first);

/** The problems by path, without those that enclose another one's path. */
function groupByPath(problems: readonly Problem[]): ReadonlyMap<string, readonly Problem[]> {
  const groups = new Map<string, Problem[]>();
  for (const problem of problems) {
    const name = (problem.path ?? []).join(".");
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [problem]);
    else group.push(problem);
  }
  for (const name of groups.keys()) {
    if (name === "") continue;
    const isOuter = [...groups.keys()].some((other) => other.startsWith(`${name}.`));
    if (isOuter) groups.delete(name);
  }
  return groups;
}

/** A problem with a position at the path, else at what encloses it. */
function nearestPlace(problems: readonly Problem[], path: readonly string[]): Problem | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const name = path.slice(0, length).join(".");
    const found = problems.find(
      (other) => (other.path ?? []).join(".") === name && hasPlace(other),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

interface UnknownField {
  readonly path: readonly string[];
  readonly hint: string;
}

/** The first element of a path that is no field where it stands. */
function unknownField(path: readonly string[]): UnknownField | undefined {
  for (const [index, name] of path.entries()) {
    if (index === 0 || isIndex(name)) continue; // top-level fields are free, and items of a list are none
    const known = knownFields(path.slice(0, index));
    if (known.length === 0 || known.includes(name)) continue;
    const near = nearName(name, known);
    const isLast = index === path.length - 1;
    if (near === undefined && (!isLast || isFreeField(path.slice(0, index)))) continue;
    const hint =
      near === undefined ? `the fields are ${common(known)}` : `did you mean \`${near}\`?`;
    return { path: path.slice(0, index + 1), hint };
  }
  return undefined;
}

/** The names to choose from, without older spellings. */
function common(names: readonly string[]): string {
  return names.filter((name) => /^[a-z][A-Za-z]*$/.test(name)).join(", ");
}

const conflict = /^conflicting values (.*) and (.*) \(mismatched types (.*) and (.*)\)$/s;
const longestValue = 60;

/** "it must be a bool or a struct, not "yes"", if that is what is wrong. */
function mismatch(problems: readonly Problem[]): string | undefined {
  const wanted = new Set<string>();
  let found = "";
  for (const { message } of problems) {
    const [, left = "", right = "", leftType = "", rightType = ""] = conflict.exec(message) ?? [];
    if (leftType === "") return undefined;
    const isSwapped = isTypeText(left) && !isTypeText(right);
    const value = isSwapped ? right : left;
    const valueType = isSwapped ? rightType : leftType;
    wanted.add(typeWord(isSwapped ? leftType : rightType));
    found = value.length > longestValue ? typeWord(valueType) : value;
  }
  return wanted.size === 0 ? undefined : `it must be ${[...wanted].join(" or ")}, not ${found}`;
}

/** What our schema says, rather than what somebody gave. */
function isTypeText(text: string): boolean {
  return /^(?:bool|string|int|number|\(.*\||\[\.\.\.|\{[^:]*\?:|\{\.\.\.\})/s.test(text);
}

const typeWords: Readonly<Record<string, string>> = {
  bool: "true or false",
  int: "a whole number",
  list: "a list",
  number: "a number",
  string: "a string",
  struct: "a struct",
};

function typeWord(type: string): string {
  return type
    .replace(/^\((.*)\)$/, "$1")
    .split("|")
    .map((word) => typeWords[word] ?? word)
    .join(" or ");
}

const longestMessage = 300;

function shortened(message: string): string {
  return message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message;
}
