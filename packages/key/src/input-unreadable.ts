import { CuenvError } from "@cuenv/errors";

/** What keeps an input from being looked at, as KEY_INPUT_UNREADABLE; an error of ours passes unchanged. */
export function inputUnreadable(
  path: string,
  error: unknown,
  verb: "hash" | "list" = "hash",
): unknown {
  if (error instanceof CuenvError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new CuenvError("KEY_INPUT_UNREADABLE", `cannot ${verb} ${path}: ${reason}`, {
    cause: error,
    hint: "Make it readable, or leave it out with ignoreInputs.",
  });
}
