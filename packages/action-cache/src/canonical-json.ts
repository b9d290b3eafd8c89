/** What {@link canonicalJson} takes: plain data. Fields that are undefined are left out. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [field: string]: JsonValue | undefined };

/**
 * One text for one value, as RFC 8785 has it: no spaces, fields sorted by UTF-16 units, numbers and strings as
 * ECMAScript writes them. @throws {TypeError} for a number that is not finite and a string that is not Unicode.
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new TypeError(`cannot encode ${value}: not a JSON number`);
  }
  if (typeof value === "string" && !value.isWellFormed()) {
    throw new TypeError("cannot encode a string: not Unicode");
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const fields = Object.keys(value).toSorted();
  const parts: string[] = [];
  for (const field of fields) {
    const content = value[field];
    if (content !== undefined) parts.push(`${canonicalJson(field)}:${canonicalJson(content)}`);
  }
  return `{${parts.join(",")}}`;
}

function isList(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}
