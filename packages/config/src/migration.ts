/** What `cuenv cache migrate` does to texts; it reads and writes no files. */
export { lineDiff } from "./migrate/line-diff.ts";
export { type CueMigrationOptions, migrateCue } from "./migrate/migrate-cue.ts";
export {
  migrateSettingsFile,
  type SettingsFileMigrationOptions,
} from "./migrate/migrate-settings-file.ts";
export type { LeftForm, MigratedForm, Migration } from "./migrate/migration.ts";
export { CueScanFailure } from "./migrate/scan-cue.ts";
export { type WrittenProject, writtenProject } from "./migrate/written-project.ts";
export { applyEdits, type TextEdit } from "./migrate/text-edit.ts";
