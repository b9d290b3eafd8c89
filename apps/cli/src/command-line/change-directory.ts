import { CuenvError } from "@cuenv/errors";

/** The folder in which somebody gave `-C`; undefined: nobody did, or it is gone. */
export let startDirectory: string | undefined;

/** `-C`. @throws {CuenvError} USAGE */
export function changeDirectory(directory: string): void {
  try {
    startDirectory ??= process.cwd();
  } catch {
    // It was removed, which is why another one is given.
  }
  try {
    process.chdir(directory);
  } catch (cause) {
    throw new CuenvError(
      "USAGE",
      `cannot change to folder ${directory}: it is not there or cannot be entered`,
      { cause },
    );
  }
}
