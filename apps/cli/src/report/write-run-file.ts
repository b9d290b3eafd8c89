import { writeFileSync } from "node:fs";
import { masked, printErr } from "./terminal.ts";

/** The run is over, and what it gave stays what it is: a file about it that cannot be written is a warning. */
export function writeRunFile(what: string, path: string, text: string): void {
  try {
    writeFileSync(path, masked(text));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    printErr(`warning: cannot write the ${what}: ${reason}\n`);
  }
}
