import type { OutputEntry } from "@cuenv/cas";
import {
  type FileIndex,
  readSealedRows,
  type Seal,
  sealRows,
  unusedRows,
  type WriteMark,
} from "@cuenv/digest";

/**
 * What restores put in place, and how they marked the files. They are too young then to be recorded in the file index, and their outputs may be large: so the next run, which is to find out
 * whether they are still what they were, need not hash those that bear the mark.
 */
export interface MarkedOutputs {
  /** Says to an index which files these are, if an earlier run put them in place. */
  tell(index: FileIndex, place: string, entries: readonly OutputEntry[]): void;
  /** @param place names what was put in place where: two that are equal have equal entries */
  note(place: string, mark: WriteMark): void;
  /** For the next run; undefined: what it will find is right. */
  serialize(): string | undefined;
}

/** The first line: what this is, in what format. */
const head = "marked 1";
/** Of places that nobody asked for (64 KiB): some 600. */
const maxUnusedLength = 64 * 1024;

export function openMarkedOutputs(
  read: () => string | undefined,
  seal: () => Seal | undefined,
): MarkedOutputs {
  const noted = new Map<string, WriteMark>();
  const told = new Set<string>();
  let rows: ReadonlyMap<string, string> | undefined;
  const kept = (): ReadonlyMap<string, string> => (rows ??= readSealedRows(read(), seal(), head));
  return {
    tell(index, place, entries) {
      const row = kept().get(place);
      if (row === undefined) return;
      told.add(place);
      const [mtimeMs = Number.NaN, untilMs = Number.NaN] = row.split("\t").slice(1).map(Number);
      for (const entry of entries)
        if (entry.kind === "file")
          index.rememberMarked(entry.path, entry.digest, { mtimeMs, untilMs });
    },
    note: (place, mark) => void noted.set(place, mark),
    serialize() {
      if (noted.size === 0 && told.size === 0) return undefined;
      const others = unusedRows(
        kept(),
        (place) => told.has(place) || noted.has(place),
        maxUnusedLength,
      );
      const own = Array.from(noted, ([place, { mtimeMs, untilMs }]) =>
        [place, mtimeMs, untilMs].join("\t"),
      );
      return sealRows(head, [...own, ...others], seal());
    },
  };
}
