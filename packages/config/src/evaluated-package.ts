import type { Location } from "@cuenv/errors";

/** Plain data: what JSON can say. */
export type Data =
  | null
  | boolean
  | number
  | string
  | readonly Data[]
  | { readonly [field: string]: Data };

export type DataObject = { readonly [field: string]: Data };

/**
 * An evaluated CUE package, structurally what `@cuenv/cue` hands over (this package does not import it). Pointers are
 * RFC 6901, into `value`. Nothing here is trusted: it may as well come from a JSON file.
 */
export interface EvaluatedPackage {
  readonly value: Data;
  readonly positions?: Readonly<Record<string, Location>>;
  readonly references?: Readonly<Record<string, string>>;
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
}

/** A field's own value; null, as unset optional fields arrive, counts as absent. Never looks at the prototype. */
export function ownField(object: DataObject, name: string): Data | undefined {
  if (!Object.hasOwn(object, name)) return undefined;
  return object[name] ?? undefined;
}

export function isDataObject(value: unknown): value is DataObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isDataList(value: unknown): value is readonly Data[] {
  return Array.isArray(value);
}

/** What a wrong value is, in the words of an error message. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a struct";
  if (typeof value === "string") return `the string ${quoted(value)}`;
  if (typeof value === "boolean") return `the bool ${value}`;
  return typeof value === "number" ? `the number ${value}` : typeof value;
}

const longestQuote = 60;

/** For messages: bounded, and on one line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text);
}
