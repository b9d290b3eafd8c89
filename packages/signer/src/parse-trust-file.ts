import { CuenvError, nearName } from "@cuenv/errors";
import { fromBase64, isKeyId, keyIdOf, publicKeyBytes, toBase64 } from "./ed25519.ts";
import { type KeyRole, keyRoles, type TrustedKey, type TrustedKeys } from "./trusted-key.ts";

/*
 * The trust file, one key on a line, fields separated by blanks; empty lines and those that begin with # are passed over:
 *
 *     <key id> <base64 public key> roles=<role>,… namespaces=<name>,… [name=…] [not-before=…] [not-after=…] [revoked=always|<time>]
 *
 * Lines, not a document: every mistake has a number, a diff says which key came, and appending one changes nothing else.
 */

/** More lines than that are no trust file. */
const maxLines = 10_000;
const maxLineLength = 4096;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
const namespacePattern = /^(?:\*|[A-Za-z0-9][A-Za-z0-9._-]{0,127})$/;
const timePattern = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,3})?Z)?$/;
const fieldNames = ["roles", "namespaces", "name", "not-before", "not-after", "revoked"] as const;
type FieldName = (typeof fieldNames)[number];

class BadLine extends Error {
  override readonly name = "BadLine";
  readonly column: number;
  constructor(column: number, message: string) {
    super(message);
    this.column = column;
  }
}

/**
 * Strict: one mistake anywhere, and none of its keys counts, since half a trust file may lack the half that revokes.
 * @throws {CuenvError} TRUST_FILE_INVALID with file, line and column; all bad lines at once
 */
export function parseTrustFile(text: string, file: string): TrustedKeys {
  const keys = new Map<string, TrustedKey>();
  const errors: CuenvError[] = [];
  const lines = text.split(/\r?\n/);
  const report = (line: number, column: number, reason: string): void =>
    void errors.push(
      new CuenvError("TRUST_FILE_INVALID", `cannot read trust file ${file}: ${reason}`, {
        location: { file, line, column },
        hint: "A line is: KEY-ID PUBLIC-KEY roles=… namespaces=… (cuenv keys trust writes it).",
      }),
    );
  if (lines.length > maxLines) report(maxLines, 1, `it has more than ${maxLines} lines`);
  for (const [index, line] of lines.slice(0, maxLines).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    try {
      const key = parseTrustLine(line);
      if (keys.has(key.id)) throw new BadLine(1, `the key ${key.id} is there twice`);
      keys.set(key.id, key);
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      report(index + 1, error.column, error.message);
    }
  }
  const [first, ...others] = errors;
  if (first === undefined) return keys;
  const { code, message, hint, location } = first;
  throw new CuenvError(code, message, {
    others,
    ...(hint === undefined ? {} : { hint }),
    ...(location === undefined ? {} : { location }),
  });
}

interface Word {
  readonly text: string;
  /** 1-based. */
  readonly column: number;
}

function wordsOf(line: string): Word[] {
  if (line.length > maxLineLength) throw new BadLine(1, "the line is too long");
  return [...line.matchAll(/[^ \t]+/g)].map((match) => ({
    text: match[0],
    column: match.index + 1,
  }));
}

function parseTrustLine(line: string): TrustedKey {
  const [id, encoded, ...rest] = wordsOf(line);
  if (id === undefined || !isKeyId(id.text)) throw new BadLine(1, "the line begins with no key id");
  const publicKey = fromBase64(encoded?.text ?? "", publicKeyBytes);
  if (publicKey === undefined)
    throw new BadLine(encoded?.column ?? line.length, "the public key is not 32 bytes in base64");
  if (keyIdOf(publicKey) !== id.text)
    throw new BadLine(id.column, `the public key is that of ${keyIdOf(publicKey)}`);
  const fields = fieldsOf(rest);
  const times = {
    notBeforeMs: timeOf(fields, "not-before"),
    notAfterMs: timeOf(fields, "not-after"),
  };
  const name = fields.get("name");
  if (name !== undefined && !namePattern.test(name.text))
    throw new BadLine(name.column, "the name has characters other than letters, digits and ._@-");
  return {
    id: id.text,
    publicKey,
    name: name?.text,
    roles: rolesOf(required(fields, "roles", line)),
    namespaces: namespacesOf(required(fields, "namespaces", line)),
    ...times,
    revoked: fields.get("revoked")?.text === "always" ? "always" : timeOf(fields, "revoked"),
  };
}

/** The values by field name, each with the column of the value. */
function fieldsOf(words: readonly Word[]): Map<FieldName, Word> {
  const fields = new Map<FieldName, Word>();
  for (const { text, column } of words) {
    const end = text.indexOf("=");
    const given = end < 0 ? text : text.slice(0, end);
    const name = fieldNames.find((candidate) => candidate === given);
    if (name === undefined || end < 0) {
      const near = nearName(given, fieldNames);
      const meant = near === undefined ? "" : `; did you mean ${near}=?`;
      throw new BadLine(column, `there is no field ${JSON.stringify(text.slice(0, 64))}${meant}`);
    }
    if (fields.has(name)) throw new BadLine(column, `${name} is there twice`);
    fields.set(name, { text: text.slice(end + 1), column: column + end + 1 });
  }
  return fields;
}

function required(fields: ReadonlyMap<FieldName, Word>, name: FieldName, line: string): Word {
  const value = fields.get(name);
  if (value === undefined) throw new BadLine(line.length, `${name}= is missing`);
  return value;
}

function rolesOf({ text, column }: Word): readonly KeyRole[] {
  return text.split(",").map((word) => {
    const role = keyRoles.find((known) => known === word);
    if (role !== undefined) return role;
    throw new BadLine(column, `the roles are ${keyRoles.join(", ")}`);
  });
}

function namespacesOf({ text, column }: Word): readonly string[] {
  const names = text.split(",");
  if (names.every((name) => namespacePattern.test(name))) return names;
  throw new BadLine(column, "a namespace is * or a name of letters, digits and ._-");
}

/** Milliseconds of `2026-01-31` or `2026-01-31T12:00:00Z`; undefined for anything else. */
export function parseTrustTime(text: string): number | undefined {
  const time = timePattern.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) return undefined;
  // Date.parse takes the 31st of February for the 3rd of March.
  return new Date(time).toISOString().startsWith(text.slice(0, 10)) ? time : undefined;
}

function timeOf(fields: ReadonlyMap<FieldName, Word>, name: FieldName): number | undefined {
  const word = fields.get(name);
  if (word === undefined) return undefined;
  const time = parseTrustTime(word.text);
  if (time !== undefined) return time;
  const always = name === "revoked" ? "always, or " : "";
  throw new BadLine(
    word.column,
    `${name} is ${always}a time as 2026-01-31 or 2026-01-31T12:00:00Z`,
  );
}

/** One line of a trust file, without its end. */
export function formatTrustLine(key: TrustedKey): string {
  const at = (ms: number): string => new Date(ms).toISOString();
  return [
    key.id,
    toBase64(key.publicKey),
    `roles=${key.roles.join(",")}`,
    `namespaces=${key.namespaces.join(",")}`,
    ...(key.name === undefined ? [] : [`name=${key.name}`]),
    ...(key.notBeforeMs === undefined ? [] : [`not-before=${at(key.notBeforeMs)}`]),
    ...(key.notAfterMs === undefined ? [] : [`not-after=${at(key.notAfterMs)}`]),
    ...(key.revoked === undefined
      ? []
      : [`revoked=${key.revoked === "always" ? "always" : at(key.revoked)}`]),
  ].join(" ");
}
