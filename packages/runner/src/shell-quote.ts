const needsNoQuotes = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** `word` as one word of a POSIX shell. The bytes are kept; a NUL, which no argument can carry, is not allowed. */
export function shellQuote(word: string): string {
  return needsNoQuotes.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
