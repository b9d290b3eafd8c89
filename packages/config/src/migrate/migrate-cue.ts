import type { Location } from "@cuenv/errors";
import type { Data } from "../evaluated-package.ts";
import { findFields } from "./cue-places.ts";
import { migrateSettings, settingNames } from "./migrate-settings.ts";
import type { CueFile } from "./cue-file.ts";
import { migrateTaskCache } from "./migrate-task-cache.ts";
import type { Migration } from "./migration.ts";
import { parseCue } from "./parse-cue.ts";

export interface CueMigrationOptions {
  readonly text: string;
  /** Absolute. */
  readonly path: string;
  /** What the whole package evaluates to, and where its fields are written: the text alone does not say which `cache` is a task's. */
  readonly value: Data;
  readonly positions: Readonly<Record<string, Location>>;
}

const taskNames: ReadonlySet<string> = new Set(["cache", "cache_env", "cacheEnv"]);

/**
 * The edits that take deprecated forms out of one CUE file of a package.
 * @throws CueScanFailure for a text that is not CUE
 */
export function migrateCue({ text, path, value, positions }: CueMigrationOptions): Migration {
  const lineStarts = lineStartsOf(text);
  const written = Object.entries(positions).flatMap(([pointer, { file, line, column }]) => {
    if (file !== path || line === undefined || column === undefined) return [];
    return [{ pointer, offset: (lineStarts[line - 1] ?? 0) + column - 1 }];
  });
  const syntax = parseCue(text);
  const file: CueFile = { text, syntax, written, value };
  const parts = [
    migrateTaskCache(file, findFields(syntax.file, taskNames)),
    migrateSettings(file, findFields(syntax.file, settingNames)),
  ];
  return {
    edits: parts.flatMap(({ edits }) => edits),
    migrated: parts.flatMap(({ migrated }) => migrated),
    left: parts.flatMap(({ left }) => left),
  };
}

function lineStartsOf(text: string): readonly number[] {
  return [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
}
