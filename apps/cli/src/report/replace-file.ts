import { CuenvError } from "@cuenv/errors";
import { randomBytes } from "node:crypto";
import { chmodSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";

/**
 * Puts a text in place of a file's, or makes the file, by a rename: whoever reads it finds the one or the other. The mode stays, and a link stays a link.
 * @throws {CuenvError} CONFIG_FILE
 */
export function replaceFile(path: string, text: string): void {
  const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined;
  const target = isThere ? realpathSync(path) : path;
  const temporary = `${target}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    writeFileSync(temporary, text, { flag: "wx" });
    if (isThere) chmodSync(temporary, statSync(target).mode & 0o7777);
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
