import { CuenvError } from "@cuenv/errors";
import { readFileSync } from "node:fs";
import { replaceFile } from "../report/replace-file.ts";
import type { FileMigration } from "./plan-migration.ts";

/**
 * Puts the new texts in place.
 * @throws {CuenvError} CONFIG_MIGRATION when a file is not what it was when it was read: then that file and those after it are as they are
 */
export function writeMigration(changes: readonly FileMigration[]): void {
  for (const { path, before } of changes)
    if (readFileSync(path, "utf8") !== before) throw changed(path);
  for (const { path, after } of changes) replaceFile(path, after);
}

function changed(path: string): CuenvError {
  return new CuenvError("CONFIG_MIGRATION", `cannot rewrite ${path}: it was changed meanwhile`, {
    hint: "nothing was written; run the command again",
    location: { file: path },
  });
}
