/** Text for a terminal's line: control characters (escape sequences among them) and line breaks stand as `\u001b`. */
export function visibleText(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (each) => `\\u${(each.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

/** As {@link visibleText}, of a message that may have several lines. */
export function visibleLines(text: string): string {
  return text.replaceAll(/[^\n\t]+/g, visibleText);
}
