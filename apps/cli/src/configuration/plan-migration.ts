import {
  applyEdits,
  CueScanFailure,
  type LeftForm,
  lineDiff,
  migrateCue,
  type MigratedForm,
  type Migration,
  migrateSettingsFile,
} from "@cuenv/config/migration";
import { CuenvError } from "@cuenv/errors";
import { readFileSync } from "node:fs";
import { sep } from "node:path";
import { formatLocation } from "../report/report-error.ts";
import type { Configuration } from "./read-configuration.ts";

/** A deprecated form, with its place. */
export interface PlacedForm {
  readonly line: number;
  readonly column: number;
  readonly form: string;
  /** What it becomes; undefined for one that is left to people. */
  readonly replacement?: string;
  readonly reason?: string;
}

export interface FileMigration {
  /** Absolute. */
  readonly path: string;
  readonly before: string;
  /** Equal to `before` when there is nothing that can be done. */
  readonly after: string;
  readonly diff: string;
  readonly migrated: readonly PlacedForm[];
  readonly left: readonly PlacedForm[];
}

/** What would be changed, file by file; only files with deprecated forms. Nothing is written. */
export function planMigration(configuration: Configuration): readonly FileMigration[] {
  return [...cueFiles(configuration), ...settingsFiles(configuration)].filter(
    ({ migrated, left }) => migrated.length > 0 || left.length > 0,
  );
}

function cueFiles({ evaluated, workspaceRoot }: Configuration): readonly FileMigration[] {
  if (evaluated === undefined) return [];
  const { value, positions } = evaluated.evaluation;
  return evaluated.inputs.flatMap(({ kind, path }) => {
    // Packages of others in cue.mod are not ours to edit.
    const isOurs = path.startsWith(workspaceRoot + sep) && !path.includes(`${sep}cue.mod${sep}`);
    if (kind !== "file" || !path.endsWith(".cue") || !isOurs) return [];
    return [migrateFile(path, (text) => migrateCue({ text, path, value, positions }))];
  });
}

function settingsFiles({ files }: Configuration): readonly FileMigration[] {
  return files.map(({ path, source: from }) => {
    const format = path.endsWith(".json") ? "json" : "yaml";
    return migrateFile(path, (text) => migrateSettingsFile({ text, format, from }));
  });
}

function migrateFile(path: string, migrate: (text: string) => Migration): FileMigration {
  const before = readFileSync(path, "utf8");
  const { edits, migrated, left } = understood(path, before, migrate);
  const after = applyEdits(before, edits);
  const place = ({ offset }: MigratedForm | LeftForm): { line: number; column: number } => {
    const lines = before.slice(0, offset).split("\n");
    return { line: lines.length, column: (lines.at(-1) ?? "").length + 1 };
  };
  return {
    path,
    before,
    after,
    diff: lineDiff(before, after, formatLocation({ file: path })),
    migrated: migrated.map((each) => {
      const { form, replacement } = each;
      return { ...place(each), form, replacement };
    }),
    left: left.map((each) => {
      const { form, reason } = each;
      return { ...place(each), form, reason };
    }),
  };
}

function understood(path: string, text: string, migrate: (text: string) => Migration): Migration {
  try {
    return migrate(text);
  } catch (cause) {
    if (!(cause instanceof CueScanFailure)) throw cause;
    throw new CuenvError("CONFIG_MIGRATION", `cannot rewrite ${path}: ${cause.message}`, {
      cause,
      location: { file: path },
    });
  }
}
