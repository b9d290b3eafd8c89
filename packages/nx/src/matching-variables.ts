/**
 * The variables that `envInclude` and `envExclude` leave, a line of JSON each, sorted: for Nx' hash, which knows single names only. In these globs `*`
 * stands for any characters and `?` for one.
 */
export function matchingVariables(
  env: Readonly<Record<string, string | undefined>>,
  globs: readonly string[],
): string {
  const excluded = globs.filter((glob) => glob.startsWith("!")).map((glob) => glob.slice(1));
  const included = globs.filter((glob) => !glob.startsWith("!"));
  return Object.entries(env)
    .filter(([name]) => matches(included, name) && !matches(excluded, name))
    .map(([name, value]) => `${JSON.stringify([name, value])}\n`)
    .toSorted()
    .join("");
}

function matches(globs: readonly string[], name: string): boolean {
  return globs.some((glob) => globMatches(glob, name));
}

/** The textbook matcher that goes back to the last `*` only: no glob makes it slow. */
function globMatches(glob: string, name: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let starPlace = 0;
  while (place < name.length) {
    if (glob[at] === "*") {
      star = at;
      starPlace = place;
      at += 1;
    } else if (at < glob.length && (glob[at] === "?" || glob[at] === name[place])) {
      at += 1;
      place += 1;
    } else if (star >= 0) {
      at = star + 1;
      starPlace += 1;
      place = starPlace;
    } else return false;
  }
  while (glob[at] === "*") at += 1;
  return at === glob.length;
}
