/** A token of CUE. Offsets are UTF-16 units. `newline` is one that ends a declaration. */
export interface Token {
  readonly kind: "word" | "string" | "mark" | "attribute" | "newline" | "end";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export interface Comment {
  readonly start: number;
  /** Without the line's end. */
  readonly end: number;
}

export interface ScannedCue {
  readonly tokens: readonly Token[];
  readonly comments: readonly Comment[];
}

export class CueScanFailure extends Error {
  readonly offset: number;
  constructor(reason: string, offset: number) {
    super(reason);
    this.offset = offset;
  }
}

const space = /[ \t\r]+/y;
const word = /[\p{L}_$#][\p{L}\p{Nd}_$#]*/uy;
const number = /\d[\w.]*/y;
const stringStart = /(?<hashes>#*)(?<quote>"""|'''|"|')/y;

/** The tokens and comments of a CUE text, JSON included; as much of the language as finding fields takes. @throws CueScanFailure */
export function scanCue(text: string): ScannedCue {
  const tokens: Token[] = [];
  const comments: Comment[] = [];
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  const add = (kind: Token["kind"], end: number): void => {
    tokens.push({ kind, text: text.slice(at, end), start: at, end });
    at = end;
  };
  while (at < text.length) {
    at = endOf(space, text, at);
    const letter = text[at];
    if (letter === undefined) break;
    if (letter === "\n") {
      if (endsDeclaration(tokens.at(-1))) add("newline", at + 1);
      else at += 1;
    } else if (text.startsWith("//", at)) {
      const end = endOfLine(text, at);
      comments.push({ start: at, end });
      at = end;
    } else if (endOf(stringStart, text, at) > at) add("string", endOfString(text, at));
    else if (letter === "@") add("attribute", endOfAttribute(text, at));
    else if (endOf(word, text, at) > at) add("word", endOf(word, text, at));
    else if (endOf(number, text, at) > at) add("word", endOf(number, text, at));
    else if (text.startsWith("...", at)) add("word", at + 3);
    else add("mark", at + 1);
  }
  tokens.push({ kind: "end", text: "", start: text.length, end: text.length });
  return { tokens, comments };
}

/** After these CUE reads the end of a line as a comma. */
function endsDeclaration(token: Token | undefined): boolean {
  if (token === undefined) return false;
  if (token.kind === "mark") return [")", "]", "}", "?", "!"].includes(token.text);
  return token.kind !== "newline";
}

function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  const stop = end === -1 ? text.length : end;
  return text[stop - 1] === "\r" ? stop - 1 : stop;
}

/** `"…"`, `'…'`, the triple ones, and each of them between `#`s; with interpolations, which hold anything. */
function endOfString(text: string, start: number): number {
  stringStart.lastIndex = start;
  const { hashes = "", quote = '"' } = stringStart.exec(text)?.groups ?? {};
  const close = `${quote}${hashes}`;
  const escape = `\\${hashes}`;
  for (let at = start + hashes.length + quote.length; at < text.length;) {
    if (text.startsWith(close, at)) return at + close.length;
    if (text.startsWith(`${escape}(`, at)) at = endOfBrackets(text, at + escape.length);
    else if (text.startsWith(escape, at)) at += escape.length + 1;
    else if (quote.length === 1 && text[at] === "\n") break;
    else at += 1;
  }
  throw new CueScanFailure("a string has no end", start);
}

/** Past the bracket that closes the one at `start`; strings and comments inside are skipped. */
function endOfBrackets(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length;) {
    const letter = text[at] ?? "";
    if (text.startsWith("//", at)) at = endOfLine(text, at);
    else if (endOf(stringStart, text, at) > at) at = endOfString(text, at);
    else {
      if ("([{".includes(letter)) depth += 1;
      if (")]}".includes(letter)) depth -= 1;
      at += 1;
      if (depth === 0) return at;
    }
  }
  throw new CueScanFailure("a bracket is not closed", start);
}

function endOfAttribute(text: string, start: number): number {
  const name = endOf(word, text, start + 1);
  return text[name] === "(" ? endOfBrackets(text, name) : Math.max(name, start + 1);
}
