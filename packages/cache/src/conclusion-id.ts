import type { OutputEntry } from "@cuenv/cas";
import { hash } from "node:crypto";

/** A short name for a question that conclusions are kept under: equal where all parts are. */
export function idOf(parts: readonly unknown[]): string {
  return hash("sha256", JSON.stringify(parts), "base64url");
}

/** The outputs of a task are inputs of all that depend on it, and their list is one object. */
const entriesIds = new WeakMap<readonly OutputEntry[], string>();

export function entriesId(entries: readonly OutputEntry[]): string {
  let id = entriesIds.get(entries);
  if (id === undefined) entriesIds.set(entries, (id = idOf(entries)));
  return id;
}
