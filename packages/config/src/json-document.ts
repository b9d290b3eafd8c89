import type { Location } from "@cuenv/errors";
import { pointerTo } from "./json-pointer.ts";

/** A JSON text read, with the places of its fields; or where and why it is not JSON. */
export type JsonDocument =
  | { readonly ok: true; readonly positions: Readonly<Record<string, Location>> }
  | { readonly ok: false; readonly reason: string; readonly location: Location };

const maximumDepth = 256;

class JsonFailure extends Error {
  readonly offset: number;
  constructor(reason: string, offset: number) {
    super(reason);
    this.offset = offset;
  }
}

/**
 * Where each field of a JSON text stands (pointer → line and column), and where it stops being JSON: `JSON.parse`
 * gives neither reliably. Only read when there is something to complain about; the values come from `JSON.parse`.
 */
export function locateJson(text: string, file: string): JsonDocument {
  const positions: Record<string, Location> = Object.create(null);
  const scanner = createScanner(text);
  const locate = (offset: number): Location => ({ file, ...lineAndColumn(text, offset) });
  try {
    scanValue(scanner, "", 0, (pointer, offset) => {
      positions[pointer] = locate(offset);
    });
    scanner.skipSpace();
    if (scanner.offset < text.length) scanner.fail("there is more after the end");
    return { ok: true, positions };
  } catch (error) {
    if (!(error instanceof JsonFailure)) throw error;
    return { ok: false, reason: error.message, location: locate(error.offset) };
  }
}

/** What is wrong with a text that `JSON.parse` reads: it takes the last of two fields of one name, and says nothing. */
export function jsonProblem(
  text: string,
  file: string,
): { readonly reason: string; readonly location: Location } | undefined {
  const seen = new Set<string>();
  try {
    scanValue(createScanner(text), "", 0, (pointer, offset) => {
      if (seen.has(pointer)) throw new JsonFailure(`it has ${pointer} twice`, offset);
      seen.add(pointer);
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof JsonFailure)) throw error;
    return { reason: error.message, location: { file, ...lineAndColumn(text, error.offset) } };
  }
}

/** 1-based, columns in UTF-16 units as editors count them. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - start + 1 };
}

interface Scanner {
  offset: number;
  skipSpace(): void;
  /** Moves past `pattern` (sticky) if it is next. */
  take(pattern: RegExp): string | undefined;
  fail(reason: string): never;
}

function createScanner(text: string): Scanner {
  return {
    offset: text.startsWith("\uFEFF") ? 1 : 0,
    skipSpace() {
      this.take(/[ \t\r\n]+/y);
    },
    take(pattern) {
      pattern.lastIndex = this.offset;
      const found = pattern.exec(text)?.[0];
      if (found !== undefined) this.offset += found.length;
      return found;
    },
    fail(reason) {
      throw new JsonFailure(reason, this.offset);
    },
  };
}

type Note = (pointer: string, offset: number) => void;

function scanValue(scanner: Scanner, pointer: string, depth: number, note: Note): void {
  if (depth > maximumDepth) scanner.fail("it is nested too deeply");
  scanner.skipSpace();
  if (scanner.take(/\{/y) !== undefined) return scanObject(scanner, pointer, depth, note);
  if (scanner.take(/\[/y) !== undefined) return scanArray(scanner, pointer, depth, note);
  if (takeString(scanner) !== undefined) return undefined;
  if (scanner.take(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y) !== undefined) return undefined;
  if (scanner.take(/(?:true|false|null)\b/y) !== undefined) return undefined;
  if (scanner.take(/\/[/*]/y) !== undefined) scanner.fail("JSON has no comments");
  return scanner.fail("a value is expected here");
}

function scanObject(scanner: Scanner, pointer: string, depth: number, note: Note): void {
  scanner.skipSpace();
  if (scanner.take(/\}/y) !== undefined) return;
  for (;;) {
    scanner.skipSpace();
    const start = scanner.offset;
    const name = takeString(scanner);
    if (name === undefined) scanner.fail("a name in double quotes is expected here");
    const at = pointerTo(pointer, name);
    note(at, start);
    scanner.skipSpace();
    if (scanner.take(/:/y) === undefined) scanner.fail("a colon is expected here");
    scanValue(scanner, at, depth + 1, note);
    scanner.skipSpace();
    if (scanner.take(/\}/y) !== undefined) return;
    if (scanner.take(/,/y) === undefined) scanner.fail("a comma or } is expected here");
  }
}

function scanArray(scanner: Scanner, pointer: string, depth: number, note: Note): void {
  scanner.skipSpace();
  if (scanner.take(/\]/y) !== undefined) return;
  for (let index = 0; ; index += 1) {
    scanner.skipSpace();
    const at = pointerTo(pointer, index);
    note(at, scanner.offset);
    scanValue(scanner, at, depth + 1, note);
    scanner.skipSpace();
    if (scanner.take(/\]/y) !== undefined) return;
    if (scanner.take(/,/y) === undefined) scanner.fail("a comma or ] is expected here");
  }
}

function takeString(scanner: Scanner): string | undefined {
  // oxlint-disable-next-line no-control-regex -- JSON forbids them unescaped
  const text = scanner.take(/"(?:[^"\\\0-\x1f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y);
  return text === undefined ? undefined : (JSON.parse(text) as string);
}
