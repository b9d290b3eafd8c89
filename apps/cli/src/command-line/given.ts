import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "./command.ts";

/** @throws {CuenvError} USAGE */
export function oneName(invocation: Invocation, what: string): string {
  const [name, more] = invocation.names;
  if (name !== undefined && more === undefined) return name;
  const found = name === undefined ? "none was given" : `"${more}" is one too many`;
  throw new CuenvError("USAGE", `cannot go on without one ${what}: ${found}`);
}

/** What a flag with a value was given; undefined when it was not. */
export function flagText(invocation: Invocation, flag: string): string | undefined {
  const value = invocation.flags[flag];
  return typeof value === "string" ? value : undefined;
}
