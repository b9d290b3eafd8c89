import type { TextEdit } from "./text-edit.ts";

/** A deprecated form, and what it becomes. */
export interface MigratedForm {
  /** Offset in the old text. */
  readonly offset: number;
  readonly form: string;
  readonly replacement: string;
}

/** A deprecated form that is left to people, and why. */
export interface LeftForm {
  readonly offset: number;
  readonly form: string;
  readonly reason: string;
}

export interface Migration {
  readonly edits: readonly TextEdit[];
  readonly migrated: readonly MigratedForm[];
  readonly left: readonly LeftForm[];
}
