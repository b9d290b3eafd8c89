import { closeSync, openSync, readSync } from "node:fs";

/** Where a file differs from the bytes that were stored. */
export interface ContentDifference {
  /** Of the first byte that differs, or that only one of the two has; 0 is the first of all. */
  readonly offset: number;
  /** 1-based; undefined: it is not text. */
  readonly line: number | undefined;
  /** The line, as far as one can see it; undefined: it is not text, or has no such line. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

export interface StoredContent {
  readonly read: (options: {
    readonly offset: number;
    readonly length: number;
  }) => AsyncIterable<Uint8Array>;
  readonly whole: () => AsyncIterable<Uint8Array>;
  readonly sizeBytes: number;
}

/** How much of a line is shown, from a little before the difference. */
const excerptBytes = 120;
const excerptLead = 40;

const newline = 0x0a;

/** What both have in common, up to the first difference. */
interface Common {
  readonly offset: number;
  readonly newlines: number;
  /** Where the line of the difference begins. */
  readonly lineStart: number;
  readonly hasNul: boolean;
}

/** Compares byte by byte, without holding either of the two in memory. Undefined: they are equal. */
export async function firstDifference(
  stored: StoredContent,
  path: string,
): Promise<ContentDifference | undefined> {
  const file = openSync(path, "r");
  try {
    const common = await commonPart(stored, file);
    if (common === undefined) return undefined;
    const { offset, newlines, lineStart, hasNul } = common;
    const start = Math.max(lineStart, offset - excerptLead);
    const before = await storedExcerpt(stored, start);
    const after = fileExcerpt(file, start);
    const isCut = start > lineStart;
    const [left, right] = [lineOf(before, isCut), lineOf(after, isCut)];
    if (hasNul || left === "binary" || right === "binary")
      return { offset, line: undefined, before: undefined, after: undefined };
    return { offset, line: newlines + 1, before: left?.text, after: right?.text };
  } finally {
    closeSync(file);
  }
}

async function commonPart(stored: StoredContent, file: number): Promise<Common | undefined> {
  let offset = 0;
  let newlines = 0;
  let lineStart = 0;
  let hasNul = false;
  const note = (equal: Uint8Array): void => {
    hasNul ||= equal.includes(0);
    for (let at = equal.indexOf(newline); at >= 0; at = equal.indexOf(newline, at + 1)) {
      newlines += 1;
      lineStart = offset + at + 1;
    }
    offset += equal.length;
  };
  for await (const chunk of stored.whole()) {
    const own = readAt(file, offset, chunk.length);
    const equal = equalLength(chunk, own);
    note(chunk.subarray(0, equal));
    if (equal < chunk.length) return { offset, newlines, lineStart, hasNul };
  }
  return readAt(file, offset, 1).length === 0 ? undefined : { offset, newlines, lineStart, hasNul };
}

function equalLength(left: Uint8Array, right: Uint8Array): number {
  if (Buffer.compare(left, right) === 0) return left.length;
  const shorter = Math.min(left.length, right.length);
  let at = 0;
  while (at < shorter && left[at] === right[at]) at += 1;
  return at;
}

/** Fewer bytes at the end of the file only. */
function readAt(file: number, offset: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const read = readSync(file, bytes, filled, length - filled, offset + filled);
    if (read === 0) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}

async function storedExcerpt(stored: StoredContent, start: number): Promise<Uint8Array> {
  const length = Math.min(excerptBytes, stored.sizeBytes - start);
  if (length <= 0) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  for await (const chunk of stored.read({ offset: start, length })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function fileExcerpt(file: number, start: number): Uint8Array {
  return readAt(file, start, excerptBytes);
}

/** What no text has: bytes that are no UTF-8, and control characters but for those of blanks. */
const binarySigns = /(?![\t\v\f\r])[\p{Cc}\ufffd]/u;

/** Undefined: there is none. A letter of several bytes that was cut at either end is left out. */
function lineOf(
  excerpt: Uint8Array,
  isCut: boolean,
): { readonly text: string } | "binary" | undefined {
  if (excerpt.length === 0) return undefined;
  const newlineAt = excerpt.indexOf(newline);
  const line = excerpt.subarray(0, newlineAt < 0 ? undefined : newlineAt);
  let from = 0;
  if (isCut) while (from < 3 && ((line[from] ?? 0) & 0xc0) === 0x80) from += 1;
  const text = Buffer.from(line.subarray(from)).toString();
  const whole =
    newlineAt < 0 && excerpt.length === excerptBytes ? text.replace(/\ufffd$/, "") : text;
  return binarySigns.test(whole) ? "binary" : { text: whole };
}
