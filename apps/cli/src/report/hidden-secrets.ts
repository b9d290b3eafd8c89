import { showOnly } from "./terminal.ts";

/** A shorter one may be part of a hash by chance, and hashes are what people look for. */
const minimumLongLength = 16;

const hidden = new Set<string>();
let pattern: RegExp | undefined;

/** From now on `***` stands for these in all that we say ourselves: a message may name an argument, a path or a command that has one in it. */
export function hideSecrets(texts: Iterable<string>): void {
  const before = hidden.size;
  for (const text of texts) hidden.add(text).add(JSON.stringify(text).slice(1, -1));
  if (hidden.size === before) return;
  pattern = compile([...hidden]);
  showOnly(withoutSecrets);
}

/** Longer ones first, so that none is hidden in part; whole hashes, which group 1 is, stay. */
function compile(secrets: readonly string[]): RegExp {
  const sorted = secrets.toSorted((left, right) => right.length - left.length);
  const [long, short] = [
    sorted.filter(({ length }) => length >= minimumLongLength),
    sorted.filter(({ length }) => length < minimumLongLength),
  ];
  const any = (texts: readonly string[]): string[] =>
    texts.map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`));
  return new RegExp([...any(long), String.raw`\b([0-9a-f]{64})\b`, ...any(short)].join("|"), "g");
}

/** A document of ours stays one: of JSON only texts are changed, no numbers. */
export function withoutSecrets(text: string): string {
  if (pattern === undefined) return text;
  const document = text.startsWith("{") ? parse(text) : undefined;
  if (document === undefined) return mask(text, pattern);
  const masked = JSON.stringify(
    document,
    (_, value: unknown) => (typeof value === "string" && pattern ? mask(value, pattern) : value),
    text.includes("\n  ") ? 2 : undefined,
  );
  return `${masked}${text.endsWith("\n") ? "\n" : ""}`;
}

function mask(text: string, secrets: RegExp): string {
  return text.replaceAll(secrets, (found, hash: string | undefined) =>
    hash === undefined ? "***" : found,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
