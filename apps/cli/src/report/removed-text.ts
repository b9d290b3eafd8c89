import { formatBytes } from "../run/format-duration.ts";
import { visibleText } from "./visible-text.ts";

/** What a command that removes results says of it. `of`: whose they were. */
export function removedText(
  { entries, bytes }: { readonly entries: number; readonly bytes: number },
  cacheDir: string,
  of = "",
): string {
  return `Removed ${entries} ${entries === 1 ? "result" : "results"}${of}, ${formatBytes(bytes)}, from ${visibleText(cacheDir)}\n`;
}
