import type { FileIndex } from "@cuenv/digest";
import type { SelectionCheck } from "./selection.ts";

export type ListingCheck = SelectionCheck & { readonly kind: "listing" };

/** Whether a fact is what it was. @throws the system's error when something cannot be looked at */
export function holds(index: FileIndex, check: SelectionCheck): boolean {
  switch (check.kind) {
    case "listing":
      return index.listHash(check.path) === check.hash;
    case "path":
      return (index.stat(check.path)?.kind ?? "missing") === check.found;
    case "link":
      return (
        index.stat(check.path)?.kind === "symlink" && index.readLink(check.path) === check.target
      );
    case "content":
      return (
        index.stat(check.path)?.kind === "file" && index.digest(check.path).hash === check.hash
      );
  }
}

/** Whether a listing is what it was but for names that do not count. @throws as {@link holds} */
export function holdsWithout(index: FileIndex, { path, rest }: ListingCheck): boolean {
  return (
    rest !== undefined &&
    index.stat(path)?.kind === "directory" &&
    index.listHash(path, rest.without) === rest.hash
  );
}

/** What {@link valueOfCheck} gave, as a check again; undefined for anything else. */
export function decodeCheck(
  kind: string | undefined,
  path: string | undefined,
  value: string | undefined,
): SelectionCheck | undefined {
  if (path === undefined || value === undefined) return undefined;
  if (kind === "content") return { kind, path, hash: value };
  if (kind === "listing") {
    const [whole = "", restHash, ...without] = value.split("/");
    const rest = restHash === undefined ? undefined : { without, hash: restHash };
    return { kind, path, hash: whole, rest };
  }
  if (kind === "link") return { kind, path, target: value };
  if (kind === "path") return { kind, path, found: value as "file" };
  return undefined;
}

/** A check but for its kind and path, as text. */
export function valueOfCheck(check: SelectionCheck): string {
  if (check.kind === "link") return check.target;
  // No hash and no name has a slash.
  if (check.kind === "listing" && check.rest !== undefined)
    return [check.hash, check.rest.hash, ...check.rest.without].join("/");
  return check.kind === "path" ? check.found : check.hash;
}
