import {
  type Data,
  type DataObject,
  isDataList,
  isDataObject,
  kindOf,
  ownField,
  quoted,
} from "../evaluated-package.ts";
import { pointerTo } from "../json-pointer.ts";
import { openStruct } from "../struct.ts";
import type { EnvironmentValue, Secret, TaskOutputReference } from "../task.ts";
import type { Context } from "./context.ts";
import { followReference } from "./references.ts";

/** A variable as it is declared. */
export interface Variable {
  readonly value: EnvironmentValue;
  /** Undefined: every task may see it; else the full names of those that may (cuenv 0.54's policies). */
  readonly allowedTasks: readonly string[] | undefined;
}

/** A variable whose value cuenv has no way to get: a task that would see it must not run without it. */
export interface UnsupportedVariable {
  readonly unsupported: string;
  readonly allowedTasks: readonly string[] | undefined;
}

export type Variables = Readonly<Record<string, Variable | UnsupportedVariable>>;

/** Where values are: they may refer to other tasks' output only where those are known. */
export interface ValueContext extends Context {
  /** The task that an output reference means; undefined where there is none. */
  readonly findOutputTask: ((name: string, pointer: string) => string | undefined) | undefined;
}

const variableName = /^[A-Z][A-Z0-9_]*$/;
const resolverPrefix = "cuenv-resolver://";

/** Reads a struct of variables; fields in `except` are not variables. */
export function readVariables(
  context: ValueContext,
  data: DataObject,
  pointer: string,
  what: string,
  except: readonly string[] = [],
): Variables {
  const variables: Record<string, Variable | UnsupportedVariable> = Object.create(null);
  for (const [name, value] of Object.entries(data)) {
    if (value === null || except.includes(name)) continue;
    const at = pointerTo(pointer, name);
    if (!variableName.test(name)) {
      const message = `cannot read ${what}: ${quoted(name)} is not a name for a variable`;
      const hint = variableName.test(name.toUpperCase())
        ? `write ${name.toUpperCase()}`
        : "a name has capital letters, digits and underscores, and begins with a letter";
      context.problems.add("CONFIG_NAME", at, message, hint);
      continue;
    }
    const variable = readVariable(context, value, at, `variable ${name} of ${what}`);
    if (variable !== undefined) variables[name] = variable;
  }
  return variables;
}

function readVariable(
  context: ValueContext,
  value: Data,
  pointer: string,
  what: string,
): Variable | UnsupportedVariable | undefined {
  const struct = isDataObject(value)
    ? openStruct(context.problems, value, pointer, what)
    : undefined;
  const isWrapped = struct?.has("value") === true && !struct.has("resolver");
  const read = isWrapped
    ? readValue(context, struct.raw("value") ?? null, struct.at("value"), what)
    : readValue(context, value, pointer, what);
  if (read === undefined) return undefined;
  let allowedTasks: readonly string[] | undefined;
  if (isWrapped && struct.has("policies")) {
    allowedTasks = (struct.list("policies") ?? []).flatMap((policy, index) => {
      const at = pointerTo(struct.at("policies"), index);
      if (!isDataObject(policy)) return [];
      return (
        openStruct(context.problems, policy, at, `${what}, policy ${index}`).strings(
          "allowTasks",
        ) ?? []
      );
    });
  }
  return isUnsupported(read)
    ? { unsupported: read.unsupported, allowedTasks }
    : { value: read, allowedTasks };
}

interface Unsupported {
  readonly unsupported: string;
}

function isUnsupported(value: EnvironmentValue | Unsupported): value is Unsupported {
  return typeof value === "object" && "unsupported" in value;
}

function readValue(
  context: ValueContext,
  value: Data,
  pointer: string,
  what: string,
): EnvironmentValue | Unsupported | undefined {
  if (typeof value === "string") {
    if (value.startsWith(resolverPrefix)) return readResolverText(context, value, pointer, what);
    if (!value.includes("\0")) return value;
    context.problems.add("CONFIG_VALUE", pointer, `cannot read ${what}: its value has a NUL byte`);
    return undefined;
  }
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  if (isDataList(value)) return readParts(context, value, pointer, what);
  if (!isDataObject(value)) return wrongType(context, value, pointer, what);
  if (isOutputReference(value)) return readOutputReference(context, value, pointer, what);
  if (ownField(value, "cuenvPassthrough") === true) {
    const own = pointer.slice(pointer.lastIndexOf("/") + 1);
    const struct = openStruct(context.problems, value, pointer, what);
    return { kind: "host", name: struct.string("name") ?? own };
  }
  if (ownField(value, "resolver") !== undefined) return readSecret(context, value, pointer, what);
  return wrongType(context, value, pointer, what);
}

function wrongType(context: Context, value: Data, pointer: string, what: string): undefined {
  const expected = "a string, a number, a bool, a list of parts or a secret";
  const message = `cannot read ${what}: it must be ${expected}, not ${kindOf(value)}`;
  context.problems.add("CONFIG_TYPE", pointer, message);
  return undefined;
}

function readParts(
  context: ValueContext,
  parts: readonly Data[],
  pointer: string,
  what: string,
): EnvironmentValue | Unsupported | undefined {
  const values: EnvironmentValue[] = [];
  for (const [index, part] of parts.entries()) {
    // Parts are not lists themselves: 0.54 has no such thing, and depth stays bounded.
    const at = pointerTo(pointer, index);
    const name = `${what}, part ${index}`;
    const value = isDataList(part)
      ? wrongType(context, part, at, name)
      : readValue(context, part, at, name);
    if (value === undefined) return undefined;
    if (isUnsupported(value)) return value;
    values.push(value);
  }
  if (values.every((value) => typeof value === "string")) return values.join("");
  return { kind: "joined", parts: values };
}

export function isOutputReference(value: Data): value is DataObject {
  return isDataObject(value) && ownField(value, "cuenvOutputRef") === true;
}

/** `{cuenvOutputRef: true, cuenvTask, cuenvOutput}`, what `tasks.build.stdout` evaluates to. */
export function readOutputReference(
  context: ValueContext,
  value: DataObject,
  pointer: string,
  what: string,
): TaskOutputReference | undefined {
  const struct = openStruct(context.problems, value, pointer, what);
  if (context.findOutputTask === undefined) {
    const message = `cannot read ${what}: a task's output cannot be used here`;
    const hint = "use it in the `args` or `env` of a task";
    context.problems.add("CONFIG_VALUE", pointer, message, hint);
    return undefined;
  }
  const output = struct.string("cuenvOutput");
  if (output !== "stdout" && output !== "stderr" && output !== "exitCode") {
    struct.wrongValue("cuenvOutput", "must be one of stdout, stderr, exitCode");
    return undefined;
  }
  const target = followReference(context, pointer);
  const name = struct.string("cuenvTask") ?? "";
  const task = context.findOutputTask(name, target ?? pointer);
  if (task !== undefined) return { kind: "taskOutput", task, output };
  const which = name === "" ? "the task cannot be told" : `there is no task ${quoted(name)}`;
  context.problems.add(
    "CONFIG_UNKNOWN_TASK",
    pointer,
    `cannot read ${what}: it is the ${output} of a task, but ${which}`,
  );
  return undefined;
}

/** `{resolver: {command, args}}` of cuenv 0.4 and 0.6, `{resolver: "exec", command, args}` of 0.54. */
function readSecret(
  context: ValueContext,
  value: DataObject,
  pointer: string,
  what: string,
): Secret | Unsupported | undefined {
  const resolver = ownField(value, "resolver");
  if (typeof resolver === "string" && resolver !== "exec")
    return { unsupported: `the resolver ${quoted(resolver)}` };
  const outer = openStruct(context.problems, value, pointer, what);
  const struct = resolver === "exec" ? outer : outer.struct("resolver");
  if (struct === undefined) return undefined;
  const spelling = struct.spelling("command", "cmd");
  const command = struct.string(spelling);
  if (command === undefined || command.trim() === "") {
    if (command !== undefined || !struct.has(spelling))
      struct.wrongValue(spelling, "is missing: a secret needs the command that prints it");
    return undefined;
  }
  const jsonKey = outer.string("jsonKey");
  const argv = [command, ...(struct.strings("args") ?? [])];
  return { kind: "secret", argv, ...(jsonKey === undefined ? {} : { jsonKey }) };
}

/** cuenv 0.6 wrote secrets as `cuenv-resolver://{"cmd": …, "args": […]}`. */
function readResolverText(
  context: ValueContext,
  text: string,
  pointer: string,
  what: string,
): Secret | Unsupported | undefined {
  let data: unknown;
  try {
    data = JSON.parse(text.slice(resolverPrefix.length));
  } catch {
    data = undefined;
  }
  if (isDataObject(data)) return readSecret(context, { resolver: data }, pointer, what);
  const message = `cannot read ${what}: what follows ${resolverPrefix} is not JSON`;
  context.problems.add("CONFIG_VALUE", pointer, message);
  return undefined;
}
