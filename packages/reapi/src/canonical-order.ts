import { compareUtf8 } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import type { NameValue } from "./canonical-messages.ts";

function invalid(message: string): CuenvError {
  return new CuenvError("REAPI_MESSAGE_INVALID", message);
}

/**
 * `items` by the UTF-8 bytes of their key. A list that is in order already, as most are, is returned as it is.
 * @throws {CuenvError} REAPI_MESSAGE_INVALID when two have the same key.
 */
export function sortUnique<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  what: string,
): readonly T[] {
  let ordered = items;
  if (!isAscending(items, keyOf)) {
    ordered = items.toSorted((left, right) => compareUtf8(keyOf(left), keyOf(right)));
    ordered.forEach((item, index) => {
      const before = ordered[index - 1];
      if (before !== undefined && keyOf(before) === keyOf(item)) {
        throw invalid(`cannot encode ${what}: ${JSON.stringify(keyOf(item))} is there twice`);
      }
    });
  }
  return ordered;
}

function isAscending<T>(items: readonly T[], keyOf: (item: T) => string): boolean {
  let before: string | undefined;
  for (const item of items) {
    const key = keyOf(item);
    if (before !== undefined && compareUtf8(before, key) >= 0) return false;
    before = key;
  }
  return true;
}

/** Platform properties may repeat a name with another value. */
export function sortProperties(properties: readonly NameValue[]): readonly NameValue[] {
  return properties.toSorted(
    (left, right) => compareUtf8(left.name, right.name) || compareUtf8(left.value, right.value),
  );
}

export function sortAndDeduplicate(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted(compareUtf8);
}

/** @throws {CuenvError} REAPI_MESSAGE_INVALID unless `name` is one segment of a path. */
export function assertSegment(name: string): void {
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) {
    throw invalid(
      `cannot encode directory: ${JSON.stringify(name)} is not the name of a file in it`,
    );
  }
}
