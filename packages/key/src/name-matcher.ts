/**
 * A matcher for lists of variable names: `*` any characters, `?` one, everything else as it is, `[` included;
 * the whole name, and case counts. Names without a wildcard, most of them, cost one look into a set.
 */
export function compileNames(patterns: readonly string[]): (name: string) => boolean {
  const exact = new Set(patterns);
  const wild = patterns.filter((pattern) => /[*?]/.test(pattern));
  return (name) => exact.has(name) || wild.some((pattern) => matchName(pattern, name));
}

/** Goes back to the last star only, so time is bounded by the product of the lengths. */
function matchName(pattern: string, name: string): boolean {
  let at = 0;
  let position = 0;
  let starAt = -1;
  let starPosition = 0;
  while (position < name.length) {
    if (pattern[at] === "*") {
      starAt = at;
      starPosition = position;
      at += 1;
    } else if (pattern[at] === "?" || pattern[at] === name[position]) {
      at += 1;
      position += 1;
    } else if (starAt >= 0) {
      starPosition += 1;
      position = starPosition;
      at = starAt + 1;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}
