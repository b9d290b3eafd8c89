import type { CommandTask, TaskParameter } from "@cuenv/config";
import { CuenvError, nearName } from "@cuenv/errors";

/** What the arguments after `--` give to a task's parameters. */
export interface BoundParameters {
  /** By name, and for positional ones by index too; undefined: neither given nor defaulted. */
  readonly values: ReadonlyMap<string, string | undefined>;
  /** What stood after a further `--`: for the command itself. */
  readonly rest: readonly string[];
}

/**
 * Reads `args` as a task's parameters: `--name value`, `--name=value`, `-n value`, `--flag` for a bool, and positional
 * ones in order.
 * @throws {CuenvError} RUN_ARGUMENTS
 */
export function bindParameters(task: CommandTask, args: readonly string[]): BoundParameters {
  const given = new Map<TaskParameter, string>();
  const positional = task.parameters
    .filter((parameter) => parameter.position !== undefined)
    .toSorted((left, right) => (left.position ?? 0) - (right.position ?? 0));
  const separator = args.indexOf("--");
  const own = separator === -1 ? args : args.slice(0, separator);

  for (let index = 0; index < own.length; index += 1) {
    const argument = own[index] ?? "";
    const flag = flagOf(task, argument);
    if (flag === undefined) {
      const parameter = positional.find((candidate) => !given.has(candidate));
      if (parameter === undefined)
        throw wrong(task, `${JSON.stringify(argument)} is one argument too many`);
      given.set(parameter, checked(task, parameter, argument));
    } else if (flag.value !== undefined || flag.parameter.type === "bool") {
      given.set(flag.parameter, checked(task, flag.parameter, flag.value ?? "true"));
    } else {
      index += 1;
      const value = own[index];
      if (value === undefined) throw wrong(task, `${argument} needs a value`);
      given.set(flag.parameter, checked(task, flag.parameter, value));
    }
  }

  const values = new Map<string, string | undefined>();
  for (const parameter of task.parameters) {
    const value = given.get(parameter) ?? parameter.default;
    if (value === undefined && parameter.required)
      throw wrong(task, `${described(parameter)} is missing`);
    values.set(parameter.name, value);
    if (parameter.position !== undefined) values.set(String(parameter.position), value);
  }
  return { values, rest: separator === -1 ? [] : args.slice(separator + 1) };
}

function flagOf(
  task: CommandTask,
  argument: string,
): { readonly parameter: TaskParameter; readonly value: string | undefined } | undefined {
  // A lone dash (stdin, by custom) and negative numbers are values.
  if (!/^--?[^-\d]/.test(argument)) return undefined;
  const equals = argument.indexOf("=");
  const name = equals === -1 ? argument : argument.slice(0, equals);
  const flags = task.parameters.filter((parameter) => parameter.position === undefined);
  const parameter = flags.find(
    (flag) => name === `--${flag.name}` || name === `-${flag.short ?? ""}`,
  );
  if (parameter !== undefined)
    return { parameter, value: equals === -1 ? undefined : argument.slice(equals + 1) };
  const near = nearName(
    name.replace(/^-+/, ""),
    flags.map((flag) => flag.name),
  );
  throw wrong(
    task,
    `it has no parameter ${name}`,
    near === undefined ? undefined : `did you mean --${near}?`,
  );
}

function checked(task: CommandTask, parameter: TaskParameter, value: string): string {
  if (parameter.type === "int" && !/^[+-]?\d+$/.test(value))
    throw wrong(
      task,
      `${spelling(parameter)} must be a whole number, not ${JSON.stringify(value)}`,
    );
  if (parameter.type === "bool" && value !== "true" && value !== "false")
    throw wrong(task, `${spelling(parameter)} must be true or false, not ${JSON.stringify(value)}`);
  return value;
}

function wrong(task: CommandTask, reason: string, hint: string = usage(task)): CuenvError {
  return new CuenvError("RUN_ARGUMENTS", `cannot run ${JSON.stringify(task.name)}: ${reason}`, {
    hint,
  });
}

function usage(task: CommandTask): string {
  const words = task.parameters.map((parameter) => {
    const word =
      parameter.position === undefined && parameter.type !== "bool"
        ? `${spelling(parameter)} ${parameter.type === "int" ? "N" : "VALUE"}`
        : spelling(parameter);
    return parameter.required && parameter.default === undefined ? word : `[${word}]`;
  });
  return `usage: cuenv task ${task.name} -- ${words.join(" ")}; what follows a further -- goes to the command`;
}

function described(parameter: TaskParameter): string {
  const { description } = parameter;
  return description === undefined
    ? spelling(parameter)
    : `${spelling(parameter)} (${description})`;
}

/** As on a command line. A positional parameter that has no name but its index is the n-th argument. */
function spelling(parameter: TaskParameter): string {
  if (parameter.position === undefined) return `--${parameter.name}`;
  if (parameter.name === String(parameter.position)) return `ARG${parameter.position + 1}`;
  return parameter.name.toUpperCase();
}
