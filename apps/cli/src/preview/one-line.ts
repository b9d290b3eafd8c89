/** A text of several lines as one, for a row. */
export function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, " ⏎ ");
}
