import type { Warning } from "@cuenv/config";
import type { CuenvError } from "@cuenv/errors";

/** Something to be changed: where, and how. */
export interface Finding {
  /** Absolute; null for a variable. */
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  /** `tasks.build.cache`, or the name of a variable; null where only the file is known. */
  readonly field: string | null;
  readonly message: string;
  readonly suggestion: string | null;
}

export function findingOfError({ location, field, message, hint }: CuenvError): Finding {
  return {
    ...placeOf(location),
    field: field ?? fieldInMessage(message),
    message,
    suggestion: hint ?? null,
  };
}

export function findingOfWarning({ location, field, message, suggestion }: Warning): Finding {
  return {
    ...placeOf(location),
    field: field ?? null,
    message,
    suggestion: suggestion ?? null,
  };
}

function placeOf(location: Warning["location"]): Pick<Finding, "file" | "line" | "column"> {
  const { file = null, line = null, column = null } = location ?? {};
  return { file, line, column };
}

/** CUE's errors name the path of the field: "cannot use tasks.build.cache: it must be …". */
function fieldInMessage(message: string): string | null {
  return /^cannot use (?<path>(?:"[^"]*"|[^\s:])+): /.exec(message)?.groups?.["path"] ?? null;
}
