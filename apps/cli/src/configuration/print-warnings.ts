import type { Warning } from "@cuenv/config";
import { formatLocation } from "../report/report-error.ts";
import { painterOf, printErr } from "../report/terminal.ts";
import { visibleLines } from "../report/visible-text.ts";

/** Each on a line of its own on stderr, as runs have them. */
export function printWarnings(warnings: readonly Warning[]): void {
  const paint = painterOf(2);
  for (const { message, location } of warnings) {
    const place = location === undefined ? "" : `${formatLocation(location)}: `;
    printErr(`${paint("yellow", "warning")}: ${visibleLines(place + message)}\n`);
  }
}
