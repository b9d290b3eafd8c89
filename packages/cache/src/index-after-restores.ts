import { type OutputEntry, parentOf, type RestoreChanges } from "@cuenv/cas";
import {
  compareUtf8,
  type DirectoryEntry,
  type FileIndex,
  type FileStat,
  formatListing,
  hashListing,
} from "@cuenv/digest";

/** The workspace as it will be: the disk, and what restores would change on it. */
export interface IndexAfterRestores {
  readonly index: FileIndex;
  /** From now on `index` sees these, too. */
  readonly add: (changes: RestoreChanges) => void;
  readonly isEmpty: () => boolean;
}

interface View {
  readonly disk: FileIndex;
  /** What would be written, and the folders above it that are not there. At and below such a path nothing of the disk counts. */
  readonly written: Map<string, OutputEntry>;
  readonly removed: Set<string>;
  /** Folder → names in it that would be written or removed. */
  readonly names: Map<string, Set<string>>;
}

/** For who only looks: nothing is restored. What is written has times and an inode of 0. */
export function indexAfterRestores(disk: FileIndex): IndexAfterRestores {
  const view: View = { disk, written: new Map(), removed: new Set(), names: new Map() };
  const isEmpty = (): boolean => view.names.size === 0;
  const index: FileIndex = {
    ...disk,
    // Asked for each of thousands of files: without a question to a map, which would hash the path, as long as nothing is in it.
    stat: (path) => (isEmpty() ? disk.stat(path) : statOf(view, path)),
    digest: (path) => (isEmpty() ? undefined : digestOf(view, path)) ?? disk.digest(path),
    digestBy: async (path, take) => digestOf(view, path) ?? disk.digestBy(path, take),
    readLink: (path) => {
      const entry = view.written.get(path);
      return entry?.kind === "symlink" ? entry.target : disk.readLink(path);
    },
    list: (path) => (isEmpty() || isAsOnDisk(view, path) ? disk.list(path) : listingOf(view, path)),
    listHash: (path, without) => {
      if (isEmpty() || isAsOnDisk(view, path)) return disk.listHash(path, without);
      if (statOf(view, path)?.kind !== "directory") return "";
      const entries = listingOf(view, path);
      return hashListing(
        formatListing(entries.filter(({ name }) => without?.includes(name) !== true)),
      );
    },
  };
  return { index, add: (changes) => add(view, changes), isEmpty };
}

function add(view: View, { writes, stale }: RestoreChanges): void {
  for (const path of stale) {
    view.removed.add(path);
    note(view, path);
  }
  for (const entry of writes) write(view, entry);
}

function write(view: View, entry: OutputEntry): void {
  const above = parentOf(entry.path);
  // The folders above a declared output are in no result: for `bin/tool` that is the file only.
  if (above !== "" && statOf(view, above)?.kind !== "directory")
    write(view, { kind: "directory", path: above });
  view.written.set(entry.path, entry);
  note(view, entry.path);
}

function note({ names }: View, path: string): void {
  const above = parentOf(path);
  names.set(above, (names.get(above) ?? new Set()).add(nameOf(path)));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function isHidden({ written, removed }: View, path: string): boolean {
  for (let here = path; here !== ""; here = parentOf(here))
    if (written.has(here) || removed.has(here)) return true;
  return false;
}

function statOf(view: View, path: string): FileStat | undefined {
  const entry = view.written.get(path);
  if (entry !== undefined) return statOfEntry(entry);
  return isHidden(view, path) ? undefined : view.disk.stat(path);
}

function statOfEntry(entry: OutputEntry): FileStat {
  return {
    kind: entry.kind,
    sizeBytes: entry.kind === "file" ? entry.digest.sizeBytes : 0,
    mtimeMs: 0,
    ctimeMs: 0,
    inode: 0,
    executable: entry.kind === "file" && entry.executable,
  };
}

function digestOf({ written }: View, path: string) {
  const entry = written.get(path);
  return entry?.kind === "file" ? entry.digest : undefined;
}

function isAsOnDisk(view: View, folder: string): boolean {
  return !view.names.has(folder) && !isHidden(view, folder);
}

function listingOf(view: View, path: string): readonly DirectoryEntry[] {
  if (statOf(view, path)?.kind !== "directory") return [];
  const names = view.names.get(path) ?? new Set();
  const entries = isHidden(view, path)
    ? []
    : view.disk.list(path).filter(({ name }) => !names.has(name));
  for (const name of names) {
    const kind = view.written.get(path === "" ? name : `${path}/${name}`)?.kind;
    if (kind !== undefined) entries.push({ name, kind });
  }
  return entries.toSorted((left, right) => compareUtf8(left.name, right.name));
}
