import { type Comment, CueScanFailure, scanCue, type Token } from "./scan-cue.ts";

/** `{…}`. */
export interface StructNode {
  readonly kind: "struct";
  /** Offset of `{`; 0 for the file. */
  readonly open: number;
  /** Offset of `}`; the text's length for the file. */
  readonly close: number;
  readonly fields: readonly FieldNode[];
  /** Of embeddings and comprehensions in it. */
  readonly embedded: readonly StructNode[];
}

/** Any other expression; `structs` are those inside of it, at any depth short of other structs. */
export interface OtherNode {
  readonly kind: "other";
  readonly start: number;
  readonly end: number;
  readonly structs: readonly StructNode[];
}

/** `label: value`. In `a: b: 1`, the value of a is the field b. */
export interface FieldNode {
  readonly kind: "field";
  /** Undefined for a pattern, or a name that is computed. */
  readonly name: string | undefined;
  readonly labelStart: number;
  readonly labelEnd: number;
  readonly value: StructNode | FieldNode | OtherNode;
  readonly end: number;
}

export interface CueSyntax {
  readonly file: StructNode;
  readonly comments: readonly Comment[];
}

/**
 * Where the fields of a CUE text are, to edit it in place: literals, labels and nesting, nothing of what they mean.
 * @throws CueScanFailure for brackets or strings without an end
 */
export function parseCue(text: string): CueSyntax {
  const { tokens, comments } = scanCue(text);
  const { fields, embedded } = declarations({ tokens, index: 0, depth: 0 }, "end");
  return { file: { kind: "struct", open: 0, close: text.length, fields, embedded }, comments };
}

interface Cursor {
  readonly tokens: readonly Token[];
  index: number;
  depth: number;
}

type Declarations = Pick<StructNode, "fields" | "embedded">;

const maximumDepth = 200;

function tokenAt({ tokens }: Cursor, index: number): Token {
  return tokens[Math.min(index, tokens.length - 1)] as Token;
}

function isMark(token: Token, marks: string): boolean {
  return token.kind === "mark" && marks.includes(token.text);
}

function declarations(cursor: Cursor, until: "}" | "end"): Declarations {
  const fields: FieldNode[] = [];
  const embedded: StructNode[] = [];
  for (;;) {
    const token = tokenAt(cursor, cursor.index);
    if (token.kind === "end" || isMark(token, "}")) {
      if ((until === "end") === (token.kind === "end")) return { fields, embedded };
      throw new CueScanFailure("a bracket is not closed, or closed twice", token.start);
    }
    if (token.kind === "newline" || token.kind === "attribute" || isMark(token, ",")) {
      cursor.index += 1;
      continue;
    }
    const before = cursor.index;
    const read = readField(cursor);
    if (read !== undefined) fields.push(read);
    else {
      const other = expression(cursor);
      embedded.push(...(other.kind === "struct" ? [other] : other.structs));
    }
    if (cursor.index === before) throw new CueScanFailure("it cannot be understood", token.start);
  }
}

/** A label and its value, if the next tokens are that. */
function readField(cursor: Cursor): FieldNode | undefined {
  const label = readLabel(cursor);
  if (label === undefined) return undefined;
  cursor.index = label.next;
  while (tokenAt(cursor, cursor.index).kind === "newline") cursor.index += 1;
  cursor.depth += 1;
  if (cursor.depth > maximumDepth)
    throw new CueScanFailure("it is nested too deeply", label.labelStart);
  const value = readField(cursor) ?? expression(cursor);
  cursor.depth -= 1;
  const end = value.kind === "struct" ? value.close + 1 : value.end;
  const { name, labelStart, labelEnd } = label;
  return { kind: "field", name, labelStart, labelEnd, value, end };
}

interface Label {
  readonly name: string | undefined;
  readonly labelStart: number;
  readonly labelEnd: number;
  /** Index of the token behind its colon. */
  readonly next: number;
}

/** `name`, `"name"`, `[pattern]`, `(expression)`, each with `?` or `!` behind it, or `X=` before it. */
function readLabel(cursor: Cursor): Label | undefined {
  let at = cursor.index;
  const first = tokenAt(cursor, at);
  if (first.kind === "word" && isMark(tokenAt(cursor, at + 1), "=")) at += 2;
  const start = tokenAt(cursor, at);
  if (start.kind === "word" || start.kind === "string") at += 1;
  else if (isMark(start, "[(")) {
    const close = closingIndex(cursor, at);
    if (close === undefined) return undefined;
    at = close + 1;
  } else return undefined;
  if (isMark(tokenAt(cursor, at), "?!")) at += 1;
  if (!isMark(tokenAt(cursor, at), ":")) return undefined;
  const labelEnd = tokenAt(cursor, at - 1).end;
  return { name: nameOf(start), labelStart: first.start, labelEnd, next: at + 1 };
}

function closingIndex(cursor: Cursor, open: number): number | undefined {
  let level = 0;
  for (let at = open; at < cursor.tokens.length; at += 1) {
    const token = tokenAt(cursor, at);
    if (isMark(token, "([{")) level += 1;
    if (isMark(token, ")]}")) level -= 1;
    if (level === 0) return at;
  }
  return undefined;
}

/** Up to what ends a declaration: a comma, the end of a line that can be one, the bracket that closes what is around. */
function expression(cursor: Cursor): StructNode | OtherNode {
  const first = tokenAt(cursor, cursor.index);
  const structs: StructNode[] = [];
  let last = first;
  let level = 0;
  for (;;) {
    const token = tokenAt(cursor, cursor.index);
    const mayEnd = token.kind === "newline" || token.kind === "attribute" || isMark(token, ",)]}");
    if (level === 0 && (mayEnd || token.kind === "end")) break;
    if (token.kind === "end" || isMark(token, "}"))
      throw new CueScanFailure("a bracket is not closed", token.start);
    if (isMark(token, "{")) {
      structs.push(readStruct(cursor));
      last = tokenAt(cursor, cursor.index - 1);
      continue;
    }
    if (isMark(token, "([")) level += 1;
    if (isMark(token, ")]")) level -= 1;
    last = token;
    cursor.index += 1;
  }
  const [only] = structs;
  if (only !== undefined && only.open === first.start && only.close === last.start) return only;
  return { kind: "other", start: first.start, end: last.end, structs };
}

function readStruct(cursor: Cursor): StructNode {
  const open = tokenAt(cursor, cursor.index).start;
  cursor.depth += 1;
  if (cursor.depth > maximumDepth) throw new CueScanFailure("it is nested too deeply", open);
  cursor.index += 1;
  const inside = declarations(cursor, "}");
  const close = tokenAt(cursor, cursor.index).start;
  cursor.index += 1;
  cursor.depth -= 1;
  return { kind: "struct", open, close, ...inside };
}

function nameOf({ kind, text }: Token): string | undefined {
  if (kind === "word") return text;
  if (!/^"(?:[^"\\\n]|\\["\\/bfnrt])*"$/.test(text)) return undefined;
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}
