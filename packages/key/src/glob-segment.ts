import { type CharacterClass, classHas, readCharacterClass } from "./character-class.ts";

type Token =
  | { readonly kind: "character"; readonly codePoint: number }
  | { readonly kind: "any" }
  | { readonly kind: "star" }
  | { readonly kind: "class"; readonly class: CharacterClass };

export type SegmentMatcher = (name: string) => boolean;

/** Whether the text of a segment has a wildcard in it. */
export function hasWildcard(segment: string): boolean {
  return /[*?[]/.test(segment);
}

/**
 * A matcher for one segment of a path: `*` any characters, `?` one, `[a-z]`, `[!a]`, `[^a]`, `[[:digit:]]` one of a
 * class, `\x` the character x. Dots are characters like others; case counts; characters are code points.
 *
 * Time is at most (length of pattern × length of name): a failed match goes back to the last star only, which is
 * enough because an earlier star can take nothing that the later one could not. Compiled regular
 * expressions try every star again and take seconds for `*a*a*a*a*b` (docs/decisions/0050-globs.md).
 *
 * @returns undefined when a class is malformed or a backslash is the last character
 */
export function compileSegment(segment: string): SegmentMatcher | undefined {
  const simple = compileSimple(segment);
  if (simple !== undefined) return simple;
  const tokens = tokenize(segment);
  return tokens && ((name) => matchTokens(tokens, name));
}

/** `name`, `*`, `prefix*suffix`: most patterns, by far. */
function compileSimple(segment: string): SegmentMatcher | undefined {
  if (segment === "*") return () => true;
  if (/[?[\\]/.test(segment)) return undefined;
  const [prefix = "", suffix, ...others] = segment.split("*");
  if (suffix === undefined) return (name) => name === segment;
  if (others.length > 0) return undefined;
  const shortest = prefix.length + suffix.length;
  return (name) => name.length >= shortest && name.startsWith(prefix) && name.endsWith(suffix);
}

function tokenize(segment: string): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < segment.length;) {
    const character = segment[at];
    if (character === "[") {
      const read = readCharacterClass(segment, at);
      if (read === undefined) return undefined;
      tokens.push({ kind: "class", class: read.class });
      at = read.end;
    } else if (character === "*") {
      if (tokens.at(-1)?.kind !== "star") tokens.push({ kind: "star" });
      at += 1;
    } else if (character === "?") {
      tokens.push({ kind: "any" });
      at += 1;
    } else {
      if (character === "\\") at += 1;
      const codePoint = segment.codePointAt(at);
      if (codePoint === undefined) return undefined;
      tokens.push({ kind: "character", codePoint });
      at += unitsOf(codePoint);
    }
  }
  return tokens;
}

function unitsOf(codePoint: number): number {
  return codePoint > 0xff_ff ? 2 : 1;
}

function matchTokens(tokens: readonly Token[], name: string): boolean {
  let token = 0;
  let at = 0;
  let starToken = -1;
  let starAt = 0;
  while (at < name.length) {
    const codePoint = name.codePointAt(at) ?? 0;
    const current = tokens[token];
    if (current?.kind === "star") {
      starToken = token;
      starAt = at;
      token += 1;
    } else if (current !== undefined && matchesOne(current, codePoint)) {
      token += 1;
      at += unitsOf(codePoint);
    } else if (starToken >= 0) {
      starAt += unitsOf(name.codePointAt(starAt) ?? 0);
      at = starAt;
      token = starToken + 1;
    } else {
      return false;
    }
  }
  while (tokens[token]?.kind === "star") token += 1;
  return token === tokens.length;
}

function matchesOne(token: Token, codePoint: number): boolean {
  if (token.kind === "character") return token.codePoint === codePoint;
  return token.kind === "class" ? classHas(token.class, codePoint) : token.kind === "any";
}
