import { byteSizeHint, parseByteSize, writtenByteSize } from "@cuenv/config";
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

/** Of `--package` or CUENV_PACKAGE. */
export function chosenPackage(invocation: Invocation): string | undefined {
  return flagText(invocation, "package") ?? process.env["CUENV_PACKAGE"];
}

/**
 * A flag's value in bytes. A few bytes without a unit are one that was forgotten, and would empty a cache; 0 is meant.
 * @param least no smaller one is taken, whatever its unit
 * @throws {CuenvError} USAGE, with what to write
 */
export function flagSize(invocation: Invocation, flag: string, least?: number): number | undefined {
  const text = flagText(invocation, flag);
  if (text === undefined) return undefined;
  const bytes = parseByteSize(text);
  const refused = (problem: string, hint: string): CuenvError =>
    new CuenvError("USAGE", `cannot use --${flag} ${text}: ${problem}`, { hint });
  if (bytes === undefined) throw refused("it is not a size like 50GiB", byteSizeHint(text));
  const isBare = /^\s*\d+\s*$/.test(text) && (bytes > 0 || least !== undefined);
  if (isBare && bytes < forgottenUnitBytes)
    throw refused(`it has no unit, and would be ${bytes} bytes`, byteSizeHint(`${text}G`));
  if (least !== undefined && bytes < least)
    throw refused(`it is less than ${writtenByteSize(least)}`, byteSizeHint(text));
  return bytes;
}

/** Who counts in bytes writes more (1 MiB). */
const forgottenUnitBytes = 1024 * 1024;
