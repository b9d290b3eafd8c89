import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "./command.ts";

/** @throws {CuenvError} USAGE */
export function oneName(invocation: Invocation, what: string): string {
  const [name, more] = invocation.names;
  if (name !== undefined && more === undefined) return name;
  const found = name === undefined ? "none was given" : `"${more}" is one too many`;
  const hint = what === "task" ? { hint: "cuenv task lists them." } : {};
  throw new CuenvError("USAGE", `cannot go on without one ${what}: ${found}`, hint);
}

/** What a flag with a value was given; undefined when it was not. */
export function flagText(invocation: Invocation, flag: string): string | undefined {
  const value = invocation.flags[flag];
  return typeof value === "string" ? value : undefined;
}

/**
 * A flag's value as `parse` reads it; undefined when it was not given.
 * @throws {CuenvError} USAGE, with the example
 */
export function flagValue<Value>(
  invocation: Invocation,
  flag: string,
  parse: (text: string) => Value | undefined,
  example: string,
): Value | undefined {
  const text = flagText(invocation, flag);
  if (text === undefined) return undefined;
  const value = parse(text);
  if (value !== undefined) return value;
  throw new CuenvError("USAGE", `cannot use --${flag} ${text}: it is not like ${example}`);
}

/** Of `-e` or CUENV_ENV. A variable that is empty says nothing, as those of the cache. */
export function chosenEnvironment(invocation: Invocation): string | undefined {
  return flagText(invocation, "env") ?? (process.env["CUENV_ENV"] || undefined);
}
