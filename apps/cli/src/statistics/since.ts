import { parseDuration } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";

/**
 * The time that `--since` means: an age (`2h`, `7d`) or a date (`2026-11-20`, `2026-11-20T08:00`), local where it does not say.
 * @throws {CuenvError} USAGE
 */
export function sinceTime(text: string, now: number): number {
  const age = parseDuration(text);
  const time = age === undefined ? dateTime(text) : now - age;
  if (time !== undefined && time <= now) return time;
  const reason = time === undefined ? "it is neither an age nor a date" : "that is in the future";
  throw new CuenvError("USAGE", `cannot use --since ${text}: ${reason}`, {
    hint: "An age like 2h or 7d, or a date like 2026-11-20 or 2026-11-20T08:00.",
  });
}

function dateTime(text: string): number | undefined {
  const pattern = /^\d{4}-\d\d-\d\d(?<time>T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/;
  const match = pattern.exec(text);
  if (match === null) return undefined;
  // A date alone would be read as UTC.
  const time = Date.parse(match.groups?.["time"] === undefined ? `${text}T00:00` : text);
  return Number.isNaN(time) ? undefined : time;
}
