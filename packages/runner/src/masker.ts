/** Puts `***` in the place of secrets. */
export interface Masker {
  /** From now on these are masked, too, also in streams that were begun before. */
  readonly add: (secrets: Iterable<string>) => void;
  /** One stream's masking; it remembers what may be the beginning of a secret. */
  readonly stream: () => MaskedStream;
}

export interface MaskedStream {
  /** What is safe to show of all that came so far: may be empty, may include bytes held back before. */
  readonly push: (chunk: Uint8Array) => Uint8Array;
  /** The stream has ended: what was held back. */
  readonly end: () => Uint8Array;
}

/** Shorter secrets are not masked: `***` all over a log would hide it, and tell the secret's bytes by their places. */
export const minimumMaskedBytes = 4;
/** A line of a secret of several lines (a PEM key) is masked alone, too, since tools print line by line; shorter ones say nothing. */
const minimumLineBytes = 8;

const mask: Uint8Array = Buffer.from("***");

/**
 * Masks exact bytes, whatever chunks they come in; the result does not depend on the chunks. Occurrences that overlap
 * become one `***`. Held back is only what a secret may begin with, always fewer bytes than the longest secret.
 */
export function createMasker(secrets: Iterable<string> = []): Masker {
  const needles = new Map<string, Buffer>();
  function add(values: Iterable<string>): void {
    for (const part of secretTexts(values)) needles.set(part, Buffer.from(part));
  }
  add(secrets);
  return { add, stream: () => maskedStream(needles) };
}

/** The texts that must not be seen of secrets: each whole, and the longer lines of those that have several. Too short ones are left out. */
export function secretTexts(secrets: Iterable<string>): string[] {
  return [...secrets].flatMap((secret) => {
    const lines = secret.split("\n").map((line) => line.replace(/\r$/, ""));
    const parts =
      lines.length > 1 ? lines.filter((line) => Buffer.byteLength(line) >= minimumLineBytes) : [];
    return [secret, ...parts].filter((text) => Buffer.byteLength(text) >= minimumMaskedBytes);
  });
}

interface Range {
  readonly start: number;
  end: number;
}

function maskedStream(needles: ReadonlyMap<string, Buffer>): MaskedStream {
  let held: Uint8Array = new Uint8Array(0);
  /** How many bytes at the start of `held` belong to an occurrence whose `***` is already out. */
  let alreadyMasked = 0;

  function release(chunk: Uint8Array, isLast: boolean): Uint8Array {
    if (needles.size === 0 && held.length === 0) return chunk;
    const bytes = held.length === 0 ? asBuffer(chunk) : Buffer.concat([held, chunk]);
    const until = isLast ? bytes.length : startOfPossible(bytes, needles);
    const out: Uint8Array[] = [];
    let position = 0;
    let carried = Math.max(0, alreadyMasked - until);
    for (const range of occurrences(bytes, needles, alreadyMasked)) {
      if (range.start >= until) break;
      out.push(bytes.subarray(position, range.start));
      if (range.start > 0 || alreadyMasked === 0) out.push(mask);
      position = Math.min(range.end, until);
      carried = Math.max(carried, range.end - until);
    }
    out.push(bytes.subarray(position, until));
    held = Uint8Array.from(bytes.subarray(until));
    alreadyMasked = carried;
    return out.length === 1 ? (out[0] ?? chunk) : Buffer.concat(out);
  }

  return {
    push: (chunk) => release(chunk, false),
    end: () => release(new Uint8Array(0), true),
  };
}

/** Merged where they overlap, in order. The bytes already masked count as one that starts at 0. */
function occurrences(
  bytes: Buffer,
  needles: ReadonlyMap<string, Buffer>,
  alreadyMasked: number,
): Range[] {
  const found: Range[] = alreadyMasked > 0 ? [{ start: 0, end: alreadyMasked }] : [];
  for (const needle of needles.values())
    for (let start = bytes.indexOf(needle); start !== -1; start = bytes.indexOf(needle, start + 1))
      found.push({ start, end: start + needle.length });
  found.sort((left, right) => left.start - right.start || right.end - left.end);
  const merged: Range[] = [];
  for (const range of found) {
    const last = merged.at(-1);
    if (last !== undefined && range.start < last.end) last.end = Math.max(last.end, range.end);
    else merged.push(range);
  }
  return merged;
}

/** Where the longest end of `bytes` starts that a secret may begin with; the length when there is none. */
function startOfPossible(bytes: Buffer, needles: ReadonlyMap<string, Buffer>): number {
  let earliest = bytes.length;
  for (const needle of needles.values()) {
    const first = needle[0] ?? 0;
    const from = Math.max(0, bytes.length - needle.length + 1);
    for (
      let start = bytes.indexOf(first, from);
      start !== -1 && start < earliest;
      start = bytes.indexOf(first, start + 1)
    )
      if (needle.compare(bytes, start, bytes.length, 0, bytes.length - start) === 0)
        earliest = start;
  }
  return earliest;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
