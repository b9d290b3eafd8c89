/** Letters in a pattern that picomatch takes for groups, extended globs and quotes. */
const letters = /[()|+@!"]/g;
/** A class: `]` directly behind its beginning is a member, and so is what stands in `[:…:]`. */
const characterClass = /\[[!^]?\]?(?:\[:[a-z]+:\]|[^\]/])*\]/g;

/**
 * A pattern, well-formed, as picomatch has to be given it so that it means what docs/key.md says of all patterns: parentheses are letters (Next.js has folders of that
 * name), only braces and brackets are special, `[!a]` is not a, and a name with brackets in it also matches itself.
 */
export function picomatchGlob(pattern: string): string {
  let glob = "";
  let end = 0;
  for (const { 0: text, index } of pattern.matchAll(characterClass)) {
    glob += escaped(pattern.slice(end, index));
    const itself = text.replaceAll(/[^\p{L}\p{N}]/gu, String.raw`\$&`);
    glob += `(${itself}|${text.replace("[!", "[^")})`;
    end = index + text.length;
  }
  return glob + escaped(pattern.slice(end));
}

function escaped(text: string): string {
  return (
    text
      .replaceAll(letters, String.raw`\$&`)
      // Behind a group it would say how often.
      .replaceAll("?", "[^/]")
      // `{1..3}` is no range. A backslash does not keep dots from being one.
      .replaceAll("..", "[.][.]")
  );
}
