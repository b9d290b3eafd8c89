import { CuenvError } from "@cuenv/errors";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { FileMigration } from "./plan-migration.ts";

/**
 * Puts the new texts in place, each by a rename, with the mode that the file had; a link stays a link.
 * @throws {CuenvError} CONFIG_MIGRATION when a file is not what it was when it was read: then that file and those after it are as they are
 */
export function writeMigration(changes: readonly FileMigration[]): void {
  for (const { path, before } of changes)
    if (readFileSync(path, "utf8") !== before) throw changed(path);
  for (const { path, after } of changes) {
    const target = realpathSync(path);
    const temporary = `${target}.${randomBytes(6).toString("hex")}.tmp`;
    try {
      writeFileSync(temporary, after, { flag: "wx" });
      chmodSync(temporary, statSync(target).mode & 0o7777);
      renameSync(temporary, target);
    } catch (cause) {
      rmSync(temporary, { force: true });
      const reason = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
      throw new CuenvError("CONFIG_FILE", `cannot write ${path}: ${reason}`, {
        cause,
        location: { file: path },
      });
    }
  }
}

function changed(path: string): CuenvError {
  return new CuenvError("CONFIG_MIGRATION", `cannot rewrite ${path}: it was changed meanwhile`, {
    hint: "nothing was written; run the command again",
    location: { file: path },
  });
}
