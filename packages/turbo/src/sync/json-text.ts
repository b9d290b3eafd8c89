import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  parseTree,
  stripComments,
} from "jsonc-parser";

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [field: string]: JsonValue };

/** Longer lists have a line for each item (characters). */
const maxLineLength = 80;

/** The value at a place in a JSON text with comments; undefined: there is none, or the text is not JSON. */
export function valueAt(text: string, path: readonly string[]): unknown {
  const node = nodeAt(text, path);
  return node === undefined ? undefined : (getNodeValue(node) as unknown);
}

/** Why a text is not JSON with comments; undefined: it is an object. */
export function textProblem(text: string): { readonly offset: number } | undefined {
  const errors: { readonly offset: number }[] = [];
  const root = parseTree(text, errors as never[], { allowTrailingComma: true });
  if (errors[0] !== undefined) return { offset: errors[0].offset };
  return root?.type === "object" ? undefined : { offset: 0 };
}

/** The text with this value at this place, and all else, comments too, as it was. */
export function withValue(text: string, path: readonly string[], value: JsonValue): string {
  const node = nodeAt(text, path);
  if (node !== undefined) {
    const indent = indentAt(text, node.offset);
    return spliced(text, node.offset, node.length, written(text, value, indent));
  }
  const above = path.slice(0, -1);
  const parent = nodeAt(text, above);
  if (parent?.type !== "object") return withValue(withValue(text, above, {}), path, value);
  return withProperty(text, parent, path.at(-1) ?? "", value);
}

/** The text without what is at this place, and with all comments but one that stands behind it on its line. */
export function withoutValue(text: string, path: readonly string[]): string {
  const property = nodeAt(text, path)?.parent;
  const object = property?.parent;
  if (property === undefined || object?.children === undefined) return text;
  const at = object.children.indexOf(property);
  const before = object.children[at - 1];
  const isLast = at === object.children.length - 1;
  const comma = commaAfter(text, endOf(property));
  const end = comma === undefined ? endOf(property) : comma + 1;
  const lineStart = text.lastIndexOf("\n", property.offset - 1) + 1;
  const startsLine = text.slice(lineStart, property.offset).trim() === "";
  const start = startsLine ? lineStart : property.offset;
  const tail = startsLine
    ? /^[ \t]*(?:\/\/[^\n]*|\/\*[^\n]*?\*\/[ \t]*(?=\r?\n))?\r?\n?/.exec(text.slice(end))?.[0]
    : /^[ \t]*/.exec(text.slice(end))?.[0];
  const without = spliced(text, start, end + (tail?.length ?? 0) - start, "");
  const left = isLast && before !== undefined ? commaAfter(text, endOf(before)) : undefined;
  // A comma that the removed one needed: where it had one of its own behind it, commas may stand at the end here.
  return left === undefined || comma !== undefined ? without : spliced(without, left, 1, "");
}

/** The text with a line for each field of the object at a place, if it has all on one and no comment among them. */
export function withLines(text: string, path: readonly string[]): string {
  const node = nodeAt(text, path);
  if (node?.type !== "object" || node.children?.length === 0) return text;
  const within = text.slice(node.offset, endOf(node));
  if (within.includes("\n") || stripComments(within) !== within) return text;
  return withValue(text, path, getNodeValue(node) as JsonValue);
}

/** The text with a comment as the first thing in the object at a place, in place of one that begins in the same way. */
export function withComment(
  start: string,
  path: readonly string[],
  comment: { readonly prefix: string; readonly text: string },
): string {
  const { prefix, text: words } = comment;
  if (commentAt(start, path, prefix)?.text === words) return start;
  const text = withoutComment(start, path, prefix);
  const node = nodeAt(text, path);
  if (node?.type !== "object") return text;
  // To the end of its line a comment would take with it what stands there.
  if (!/^[ \t]*\r?\n/.test(text.slice(node.offset + 1)))
    return spliced(text, node.offset + 1, 0, ` /* ${words} */ `);
  const inner = indentAt(text, node.offset) + indentUnit(text);
  return spliced(text, node.offset + 1, 0, `${lineEnd(text)}${inner}// ${words}`);
}

export function withoutComment(text: string, path: readonly string[], prefix: string): string {
  const found = commentAt(text, path, prefix);
  return found === undefined ? text : spliced(text, found.offset, found.length, "");
}

/** The first thing in the object at a place, if it is a comment that begins so. */
export function commentAt(
  text: string,
  path: readonly string[],
  prefix: string,
): { readonly text: string; readonly offset: number; readonly length: number } | undefined {
  const node = nodeAt(text, path);
  if (node?.type !== "object") return undefined;
  const offset = node.offset + 1;
  const first = /^\s*(?:\/\/([^\r\n]*)|\/\*([^]*?)\*\/)/.exec(text.slice(offset));
  const words = (first?.[1] ?? first?.[2] ?? "").trim();
  if (first === null || !words.startsWith(prefix)) return undefined;
  return { text: words, offset, length: first[0].length };
}

function nodeAt(text: string, path: readonly string[]): Node | undefined {
  const root = parseTree(text, [], { allowTrailingComma: true });
  return root === undefined ? undefined : findNodeAtLocation(root, [...path]);
}

function withProperty(text: string, object: Node, name: string, value: JsonValue): string {
  const last = object.children?.at(-1);
  const outer = indentAt(text, object.offset);
  const eol = lineEnd(text);
  if (last === undefined) {
    const inner = outer + indentUnit(text);
    const closing = endOf(object) - 1;
    const start = object.offset + 1 + text.slice(object.offset + 1, closing).trimEnd().length;
    const field = `${JSON.stringify(name)}: ${written(text, value, inner)}`;
    return spliced(text, start, closing - start, `${eol}${inner}${field}${eol}${outer}`);
  }
  const isOneLine = !text.slice(object.offset, endOf(object)).includes("\n");
  const inner = isOneLine ? outer : indentAt(text, last.offset);
  const field = `${JSON.stringify(name)}: ${written(text, value, inner)}`;
  if (isOneLine) return spliced(text, endOf(last), 0, `, ${field}`);
  const comma = commaAfter(text, endOf(last));
  const after = comma === undefined ? endOf(last) : comma + 1;
  // What is said of the last field behind it stays behind it.
  const behind = /^[ \t]*(?:\/\/[^\n\r]*|\/\*[^\n]*?\*\/(?=[ \t]*\r?\n))/.exec(text.slice(after));
  const end = after + (behind?.[0].length ?? 0);
  const kept = text.slice(endOf(last), end);
  const line = `${eol}${inner}${field}`;
  return comma === undefined
    ? spliced(text, endOf(last), end - endOf(last), `,${kept}${line}`)
    : spliced(text, end, 0, `${line},`);
}

/** The place of the comma behind a field, past comments. */
function commaAfter(text: string, offset: number): number | undefined {
  const between = /^(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*/.exec(text.slice(offset))?.[0] ?? "";
  const at = offset + between.length;
  return text[at] === "," ? at : undefined;
}

function written(text: string, value: JsonValue, indent: string): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = indent + indentUnit(text);
  const eol = lineEnd(text);
  if (Array.isArray(value)) {
    const items = (value as readonly JsonValue[]).map((item) => written(text, item, inner));
    const line = `[${items.join(", ")}]`;
    if (line.length <= maxLineLength) return line;
    return `[${eol}${items.map((item) => inner + item).join(`,${eol}`)}${eol}${indent}]`;
  }
  const fields = Object.entries(value).map(
    ([name, each]) => `${inner}${JSON.stringify(name)}: ${written(text, each, inner)}`,
  );
  return fields.length === 0 ? "{}" : `{${eol}${fields.join(`,${eol}`)}${eol}${indent}}`;
}

function endOf({ offset, length }: Node): number {
  return offset + length;
}

function spliced(text: string, offset: number, length: number, insert: string): string {
  return text.slice(0, offset) + insert + text.slice(offset + length);
}

function indentAt(text: string, offset: number): string {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start))?.[0] ?? "";
}

function indentUnit(text: string): string {
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";
}

function lineEnd(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}
