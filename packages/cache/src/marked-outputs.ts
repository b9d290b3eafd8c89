import { bootIdentity, type OutputEntry, type RestoreMarks } from "@cuenv/cas";
import { type FileIndex, readSealedRows, type Seal, sealRows, unusedRows } from "@cuenv/digest";

/**
 * How restores marked the files that they put in place. These are too young then to be recorded in the file index, and there may be much in them: so the next run, which is to find out whether they
 * are still what they were, need not hash those that bear their mark.
 */
export interface MarkedOutputs {
  /** Says to an index which files these are, if an earlier run put them in place. */
  tell(index: FileIndex, place: string, entries: readonly OutputEntry[]): void;
  /** @param place names what was put in place where: of two that are equal, so are the entries */
  note(place: string, entries: readonly OutputEntry[], marks: RestoreMarks): void;
  /** For the next run; undefined: what it will find is right. */
  serialize(): string | undefined;
}

/** Of places that nobody asked for (256 KiB): some 4,000 files. */
const maxUnusedLength = 256 * 1024;

/**
 * After the first line, a line for each place: its name, and for each marked file `\tentry,inode,mtimeMs,ctimeMs`, where `entry` is its number in the result. None of it counts once
 * the system was started again: after a power cut a file may have its size and times, and nothing in it.
 */
function head(): string {
  return `marked 1 ${bootIdentity()}`;
}

export function openMarkedOutputs(
  read: () => string | undefined,
  seal: () => Seal | undefined,
): MarkedOutputs {
  const noted = new Map<string, string>();
  const told = new Set<string>();
  let rows: ReadonlyMap<string, string> | undefined;
  const kept = (): ReadonlyMap<string, string> => (rows ??= readSealedRows(read(), seal(), head()));
  return {
    tell(index, place, entries) {
      const row = kept().get(place);
      const [first] = entries;
      // Where they were removed, the index has better things to do.
      if (row === undefined || first === undefined || index.stat(first.path) === undefined) return;
      told.add(place);
      for (const mark of row.split("\t").slice(1)) {
        const [
          number = Number.NaN,
          inode = Number.NaN,
          mtimeMs = Number.NaN,
          ctimeMs = Number.NaN,
        ] = mark.split(",").map(Number);
        const entry = entries[number];
        if (entry?.kind === "file")
          index.remember(entry.path, entry.digest, { inode, mtimeMs, ctimeMs });
      }
    },
    note(place, entries, marks) {
      const rest = entries.flatMap(({ path }, number) => {
        const mark = marks.get(path);
        return mark === undefined ? [] : [[number, mark.inode, mark.mtimeMs, mark.ctimeMs].join()];
      });
      if (rest.length > 0) noted.set(place, [place, ...rest].join("\t"));
    },
    serialize() {
      if (noted.size === 0 && told.size === 0) return undefined;
      const isUsed = (place: string): boolean => told.has(place) || noted.has(place);
      const others = unusedRows(kept(), isUsed, maxUnusedLength);
      return sealRows(head(), [...noted.values(), ...others], seal());
    },
  };
}
