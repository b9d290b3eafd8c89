/** `note`: nothing is wrong, but it should be known. `broken`: something will not work, or not be right. */
export type CheckStatus = "ok" | "note" | "broken";

/** What was looked at, what was found, and what to do about it. */
export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found: one sentence without a full stop. */
  readonly message: string;
  /** What to do; undefined when nothing is. */
  readonly advice: string | undefined;
}

export function ok(name: string, message: string): Check {
  return { name, status: "ok", message, advice: undefined };
}

export function note(name: string, message: string, advice?: string): Check {
  return { name, status: "note", message, advice };
}

export function broken(name: string, message: string, advice: string | undefined): Check {
  return { name, status: "broken", message, advice };
}
