/** A set of code points, `[a-z]` in a pattern. */
export interface CharacterClass {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [first: number, last: number])[];
}

/** POSIX classes, of ASCII, as git has them: the same on every machine and in every locale. */
const namedClasses: Readonly<Record<string, CharacterClass["ranges"]>> = {
  alnum: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x61, 0x7a],
  ],
  alpha: [
    [0x41, 0x5a],
    [0x61, 0x7a],
  ],
  blank: [
    [0x20, 0x20],
    [0x09, 0x09],
  ],
  cntrl: [
    [0x00, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: [[0x30, 0x39]],
  graph: [[0x21, 0x7e]],
  lower: [[0x61, 0x7a]],
  print: [[0x20, 0x7e]],
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  space: [
    [0x20, 0x20],
    [0x09, 0x0d],
  ],
  upper: [[0x41, 0x5a]],
  xdigit: [
    [0x30, 0x39],
    [0x41, 0x46],
    [0x61, 0x66],
  ],
};

/**
 * Reads the class that opens at `start` of one path segment. A `]` directly behind `[`, `[!` or `[^` is a member, and so
 * is a `-` at either end; a backslash takes the next character as it is.
 * @returns undefined when it is not closed, its range is the wrong way round, or it names an unknown class
 */
export function readCharacterClass(
  segment: string,
  start: number,
): { readonly class: CharacterClass; readonly end: number } | undefined {
  const negated = segment[start + 1] === "!" || segment[start + 1] === "^";
  const first = start + (negated ? 2 : 1);
  const ranges: (readonly [number, number])[] = [];
  for (let at = first; at < segment.length;) {
    if (segment[at] === "]" && at > first) return { class: { negated, ranges }, end: at + 1 };
    if (segment.startsWith("[:", at)) {
      const close = segment.indexOf(":]", at + 2);
      const named = close < 0 ? undefined : namedClasses[segment.slice(at + 2, close)];
      if (named === undefined) return undefined;
      ranges.push(...named);
      at = close + 2;
      continue;
    }
    const from = readMember(segment, at);
    if (from === undefined) return undefined;
    at = from.end;
    const isRange = segment[at] === "-" && at + 1 < segment.length && segment[at + 1] !== "]";
    const to = isRange ? readMember(segment, at + 1) : from;
    if (to === undefined || to.codePoint < from.codePoint) return undefined;
    ranges.push([from.codePoint, to.codePoint]);
    at = to.end;
  }
  return undefined;
}

function readMember(text: string, start: number): { codePoint: number; end: number } | undefined {
  const at = text[start] === "\\" ? start + 1 : start;
  const codePoint = text.codePointAt(at);
  if (codePoint === undefined) return undefined;
  return { codePoint, end: at + (codePoint > 0xff_ff ? 2 : 1) };
}

/** Behind the class that opens at `start`, or undefined when it is none: for those who only skip it. */
export function endOfClass(text: string, start: number): number | undefined {
  const slash = text.indexOf("/", start);
  const segment = slash < 0 ? text : text.slice(0, slash);
  return readCharacterClass(segment, start)?.end;
}

export function classHas(characterClass: CharacterClass, codePoint: number): boolean {
  const inside = characterClass.ranges.some(
    ([first, last]) => codePoint >= first && codePoint <= last,
  );
  return inside !== characterClass.negated;
}
