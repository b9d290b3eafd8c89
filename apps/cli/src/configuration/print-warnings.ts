import type { Warning } from "@cuenv/config";
import { formatLocation } from "../report/report-error.ts";
import { isTerminal } from "../report/is-terminal.ts";
import { colorsAllowed, painter, printErr } from "../report/terminal.ts";

/** Each on a line of its own on stderr, as runs have them. */
export function printWarnings(warnings: readonly Warning[]): void {
  const paint = painter(colorsAllowed(process.env, isTerminal(2)));
  for (const { message, location } of warnings) {
    const place = location === undefined ? "" : `${formatLocation(location)}: `;
    printErr(`${paint("yellow", "warning")}: ${place}${message}\n`);
  }
}
