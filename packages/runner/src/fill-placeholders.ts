import { basename } from "node:path";
import { CuenvError } from "@cuenv/errors";
import { type ScriptContext, scriptContexts } from "./script-context.ts";
import { shellQuote } from "./shell-quote.ts";

/** Values by name or index; undefined: the parameter exists and has no value, its place stays empty. */
export type PlaceholderValues = ReadonlyMap<string, string | undefined>;

const placeholder = /\{\{\s*([A-Za-z0-9_-]+)\s*\}\}/g;
const posixShells: ReadonlySet<string> = new Set(["sh", "bash", "dash", "ash", "ksh", "zsh"]);
/** Cannot end a string, comment or word in any language that we start. */
const harmlessEverywhere = /^[\p{L}\p{N} _@%+=:,./-]*$/u;
const harmlessInShells = /^[A-Za-z0-9_@%+=:,./-]+$/;

export function isPosixShell(program: string): boolean {
  return posixShells.has(basename(program));
}

/** Puts values in the place of `{{name}}` and `{{0}}`. Other braces stay: `docker ps --format '{{.Names}}'`. */
export function fillArgument(text: string, values: PlaceholderValues): string {
  if (values.size === 0) return text;
  return text.replaceAll(placeholder, (whole, name: string) =>
    values.has(name) ? (values.get(name) ?? "") : whole,
  );
}

/**
 * As `fillArgument`, but the text is a program and a value must never become code: in a POSIX shell's script it is
 * quoted as its place needs, so that it is always data and, outside of quotes, one word. Where that cannot be done, a
 * value that would need quoting is refused.
 * @throws {CuenvError} RUN_ARGUMENTS
 */
export function fillScript(script: string, shell: string, values: PlaceholderValues): string {
  const places = [...script.matchAll(placeholder)].filter((match) => values.has(match[1] ?? ""));
  if (places.length === 0) return script;
  const contexts: ScriptContext[] = isPosixShell(shell)
    ? scriptContexts(
        script,
        places.map((match) => match.index),
      )
    : places.map(() => "unknown");
  let filled = "";
  let position = 0;
  for (const [index, match] of places.entries()) {
    const name = match[1] ?? "";
    const value = values.get(name);
    const context =
      script.charAt(match.index - 1) === "$" ? "unknown" : (contexts[index] ?? "unknown");
    filled += script.slice(position, match.index);
    if (value !== undefined) filled += asData(name, value, context, isPosixShell(shell));
    position = match.index + match[0].length;
  }
  return filled + script.slice(position);
}

function asData(name: string, value: string, context: ScriptContext, inShell: boolean): string {
  if (inShell ? harmlessInShells.test(value) : harmlessEverywhere.test(value)) return value;
  switch (context) {
    case "plain":
      return shellQuote(value);
    case "single":
      return value.replaceAll("'", `'\\''`);
    case "double":
      return value.replaceAll(/["$`\\]/g, "\\$&");
    case "comment":
      return value.replaceAll("\n", " ");
    case "unknown":
      throw new CuenvError(
        "RUN_ARGUMENTS",
        `cannot put the value of {{${name}}} into the script: it could become code at that place`,
        {
          hint: inShell
            ? `assign it first, value={{${name}}}, and use "$value" there`
            : "take it from the script's own arguments instead",
        },
      );
  }
}
