import { type Data, isDataList, isDataObject } from "../evaluated-package.ts";

interface Referring {
  readonly references: Readonly<Record<string, string>>;
  readonly value: Data;
}

/** Longest chain of references that is followed; keeps a circle of them from being endless. */
const maximumHops = 16;

/**
 * What a value refers to in the end: `pointer` or a field above it is a reference, and what that names may be one
 * again. Undefined when neither is. A task that says something itself is an end, whatever it is made from (`_base & {…}`).
 */
export function followReference(
  { references, value }: Referring,
  pointer: string,
): string | undefined {
  let at = pointer;
  for (let hops = 0; hops < maximumHops; hops += 1) {
    const next = Object.hasOwn(references, at) ? references[at] : undefined;
    if (typeof next !== "string" || next === at) break;
    at = next;
    if (at.startsWith("/tasks/") && (valueAt(value, at) ?? null) !== null) break;
  }
  return at === pointer ? undefined : at;
}

export function isWithin(pointer: string, prefix: string): boolean {
  return pointer === prefix || pointer.startsWith(`${prefix}/`);
}

/** The value at a pointer. */
export function valueAt(value: Data, pointer: string): Data | undefined {
  let at: Data | undefined = value;
  for (const part of pointer.split("/").slice(1)) {
    const field = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (isDataList(at)) at = /^\d+$/.test(field) ? at[Number(field)] : undefined;
    else if (isDataObject(at)) at = Object.hasOwn(at, field) ? at[field] : undefined;
    else return undefined;
  }
  return at;
}
