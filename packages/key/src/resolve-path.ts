import type { FileIndex, FileKind } from "@cuenv/digest";
import { inputUnreadable } from "./input-unreadable.ts";
import { isAbsolutePath, segmentsInside } from "./normalize-working-directory.ts";

/** Where a path leads when symbolic links in it are followed. */
export type ResolvedPath =
  /** `path` has no link in it, and what it names is no link. */
  | { readonly kind: Exclude<FileKind, "symlink">; readonly path: string }
  | { readonly kind: "missing"; readonly path: string }
  | { readonly kind: "outside" }
  | { readonly kind: "loop" };

export interface PathObserver {
  /** Called for every part of the way that was looked at. */
  readonly looked: (path: string, found: FileKind | "missing") => void;
  /** Called for every link on the way. */
  readonly link: (path: string, target: string) => void;
}

/** As Linux: more links than this in one path are a circle. */
const maxLinks = 40;

/**
 * Follows `path` (from the workspace root, normalised) segment by segment, inside the workspace only: the system's own
 * resolution would follow a link out of it without a word.
 */
export function resolvePath(index: FileIndex, path: string, observer: PathObserver): ResolvedPath {
  let pending = path === "" ? [] : path.split("/");
  let current: string[] = [];
  let kind: Exclude<FileKind, "symlink"> = "directory";
  let links = 0;
  while (pending.length > 0) {
    const [name = "", ...rest] = pending;
    pending = rest;
    if (name === "..") {
      if (current.pop() === undefined) return { kind: "outside" };
      kind = "directory";
      continue;
    }
    const here = [...current, name].join("/");
    const found = index.stat(here)?.kind;
    observer.looked(here, found ?? "missing");
    if (found === undefined) return { kind: "missing", path: here };
    if (found !== "symlink") {
      current.push(name);
      kind = found;
      if (kind !== "directory" && pending.length > 0) return { kind: "missing", path: here };
      continue;
    }
    links += 1;
    if (links > maxLinks) return { kind: "loop" };
    const target = readLink(index, here);
    observer.link(here, target);
    const inside = linkTarget(index.root, target);
    if (inside === undefined) return { kind: "outside" };
    if (inside.absolute) current = [];
    pending = [...inside.segments, ...pending];
  }
  return { kind, path: current.join("/") };
}

function readLink(index: FileIndex, path: string): string {
  try {
    return index.readLink(path);
  } catch (error) {
    throw inputUnreadable(path, error);
  }
}

/** The segments of a link's text: from the folder of the link, or from the root when it is absolute and inside the workspace. */
function linkTarget(
  root: string,
  target: string,
): { readonly absolute: boolean; readonly segments: string[] } | undefined {
  if (!isAbsolutePath(target)) {
    return {
      absolute: false,
      segments: target.split("/").filter((part) => part !== "" && part !== "."),
    };
  }
  const segments = segmentsInside(root, target);
  return segments && { absolute: true, segments };
}

/**
 * A link's text as it enters the key. An absolute text that points into the workspace becomes relative to the
 * link's folder, so that the key is the same in every checkout.
 */
export function portableLinkTarget(root: string, path: string, target: string): string {
  const inside = isAbsolutePath(target) ? segmentsInside(root, target) : undefined;
  if (inside === undefined) return target;
  const folder = path.split("/").slice(0, -1);
  let common = 0;
  while (common < folder.length && folder[common] === inside[common]) common += 1;
  const up = folder.slice(common).map(() => "..");
  return [...up, ...inside.slice(common)].join("/") || ".";
}
