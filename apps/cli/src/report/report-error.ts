import { CuenvError, type Location } from "@cuenv/errors";
import { relative } from "node:path";
import { painterOf, printErr, printOut } from "./terminal.ts";
import { visibleLines } from "./visible-text.ts";

/** Prints an error for people on stderr or, with `json`, as the one document on stdout; gives the exit code. */
export function reportError(error: unknown, json: boolean): number {
  const known = error instanceof CuenvError ? error : internalError(error);
  if (!json || !printDocument(known)) printErr(errorText(known));
  return known.exitCode;
}

/** False: stdout does not take it. */
function printDocument(error: CuenvError): boolean {
  try {
    printOut(`${JSON.stringify({ version: 1, error: errorDocument(error) })}\n`);
    return true;
  } catch {
    return false;
  }
}

function internalError(error: unknown): CuenvError {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new CuenvError("INTERNAL", `cannot go on: ${reason}`, {
    hint: "This is a bug in cuenv. Please report it with the lines above.",
    cause: error,
  });
}

/** An error as scripts see it: a field that says nothing is null. */
export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** Further problems that were found with it. */
  readonly others?: readonly ErrorDocument[];
}

export function errorDocument(error: CuenvError): ErrorDocument {
  const { code, message, hint = null, location, others } = error;
  const { file = null, line = null, column = null } = location ?? {};
  return {
    code,
    message,
    hint,
    file,
    line,
    column,
    ...(others.length > 0 ? { others: others.map((other) => errorDocument(other)) } : {}),
  };
}

function errorText(error: CuenvError): string {
  const paint = painterOf(2);
  return [error, ...error.others]
    .map((each) => {
      const place = each.location === undefined ? "" : `${formatLocation(each.location)}: `;
      const hint =
        each.hint === undefined ? "" : `\n${paint("cyan", "hint")}: ${visibleLines(each.hint)}`;
      return `${paint("red", "error")}: ${visibleLines(place + each.message)} ${paint("dim", `[${each.code}]`)}${hint}\n`;
    })
    .join("");
}

/** `env.cue:3:7`, relative to where the person is. */
export function formatLocation(location: Location): string {
  const near = relative(process.cwd(), location.file);
  const file = near === "" || near.startsWith("..") ? location.file : near;
  return [file, location.line, location.column].filter((part) => part !== undefined).join(":");
}
