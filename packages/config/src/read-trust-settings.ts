import type { Data } from "./evaluated-package.ts";
import { createProblems, type ProblemsOptions } from "./problems.ts";
import { readChoice } from "./read-setting-value.ts";
import { openStruct, type Struct } from "./struct.ts";

/**
 * Whose results are used. off: whoever wrote them. local: this machine's own, and those of trusted keys. required: those of trusted keys.
 * ci-only: those of trusted keys with the role `ci-main`.
 */
export type TrustMode = "off" | "local" | "required" | "ci-only";

export const trustModes: readonly TrustMode[] = ["off", "local", "required", "ci-only"];

/** What the user's settings file says below `trust`: only what was set. */
export interface TrustSettingsInput {
  readonly mode?: TrustMode;
  readonly file?: string;
  /** Neither a variable nor a project says whom to trust, where results lie, and under which name (`assertUnlocked`). */
  readonly locked?: boolean;
}

/** @throws {CuenvError} CONFIG_VALUE, CONFIG_TYPE, CONFIG_UNKNOWN_FIELD */
export function readTrustSettings(
  data: Data,
  what: string,
  place: ProblemsOptions = {},
): TrustSettingsInput {
  const problems = createProblems(place);
  const outer = openStruct(problems, { trust: data }, "", what);
  const struct = outer.struct("trust", what);
  const result = struct === undefined ? {} : readFields(struct);
  problems.throwIfAny();
  return result;
}

function readFields(struct: Struct): TrustSettingsInput {
  const mode = readChoice(struct, "mode", trustModes);
  const file = struct.string("file");
  if (file !== undefined && (file.trim() === "" || file.includes("\0")))
    struct.wrongValue("file", "is not a path");
  const locked = struct.boolean("locked");
  struct.refuseUnknown(new Set(["mode", "file", "locked"]));
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(file === undefined ? {} : { file }),
    ...(locked === undefined ? {} : { locked }),
  };
}
