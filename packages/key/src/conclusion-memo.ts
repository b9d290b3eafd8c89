import {
  checksum,
  type FileIndex,
  numberRanges,
  readSealedRows,
  type SavedRecords,
  type Seal,
  sealRows,
  unusedRows,
} from "@cuenv/digest";
import type { SelectionCheck } from "./selection.ts";
import { decodeCheck, holds, holdsWithout, valueOfCheck } from "./selection-check.ts";

/** What was seen of the files of the workspace when something was concluded. */
export interface Evidence {
  readonly files: readonly {
    readonly path: string;
    readonly hash: string;
    readonly executable: boolean;
  }[];
  readonly checks: readonly SelectionCheck[];
}

/**
 * What earlier runs concluded from questions and files: the key of a task, or that its outputs are in place. Where the stat of each file is the recorded one, the same question
 * has the same answer, and nothing is selected, hashed, or encoded to find that out again.
 *
 * An answer must follow from its question and its evidence, and from nothing else. A file with another stat and the same content is asked about anew.
 */
export interface ConclusionMemo {
  /** Whether there is anything to recall: to a first run nobody need put a question. */
  readonly isEmpty: () => boolean;
  /** Whether anything that is concluded is kept. */
  readonly isKept: () => boolean;
  /** The answer, if all that it rests on is as it was; undefined: it has to be found out. Never throws. */
  recall(question: string): string | undefined;
  conclude(question: string, answer: string, evidence: Evidence): void;
  /** The text to keep for the next run, once the file index was saved; undefined: what was kept before still holds, or there is no seal for it. */
  serialize(): string | undefined;
}

export interface ConclusionMemoOptions {
  readonly index: FileIndex;
  /** What `serialize` gave in an earlier run; anything else is an empty memo. Asked for once, by the first question. */
  readonly read: () => string | undefined;
  /** Whether somebody keeps what `serialize` gives. Default: true. */
  readonly keeps?: boolean;
  readonly seal?: () => Seal | undefined;
  /** Of cuenv, by a name without a space: another one may conclude something else. */
  readonly build: string;
}

/** Raise it when the same question and evidence could have another answer. */
const memoVersion = 1;
/** Rows that a run did not use are kept up to so many characters (1 MiB, some 3,000 rows). */
const maxUnusedLength = 1024 * 1024;

/**
 * The text: a seal over the rest, a line with the version of this format and the build of cuenv and the id of the file records, then a line for each conclusion: question, answer, the
 * numbers of the records that it rests on (a first one and one after the last, pair after pair), and as JSON the facts that no record says; between them tabs.
 *
 * @param options.index whose records the rows name: rows for other ones are nothing
 */
export function createConclusionMemo(options: ConclusionMemoOptions): ConclusionMemo {
  const { index, read, keeps = true, seal = () => checksum } = options;
  const head = (id: string): string => `cuenv-conclusions ${memoVersion} ${options.build} ${id}`;
  const { id: loadedId } = index.records;
  let stored: ReadonlyMap<string, string> | undefined;
  const load = (): ReadonlyMap<string, string> =>
    (stored ??=
      loadedId === undefined ? new Map() : readSealedRows(read(), seal(), head(loadedId)));
  const used = new Set<string>();
  let isKept: boolean | undefined;
  const learnt = new Map<string, Conclusion>();
  return {
    isEmpty: () => load().size === 0,
    isKept: () => (isKept ??= keeps && seal() !== undefined),
    recall: (question) => {
      const row = load().get(question);
      const parsed = row === undefined ? undefined : parseRow(row);
      if (parsed === undefined || !isAsItWas(index, parsed)) return undefined;
      used.add(question);
      return parsed.answer;
    },
    conclude: (question, answer, evidence) => void learnt.set(question, { answer, evidence }),
    serialize: () => {
      const saved = index.records.saved();
      if (saved === undefined || (learnt.size === 0 && saved.id === loadedId)) return undefined;
      const fresh = freshRows(learnt, saved);
      // What cannot be recorded (a file with a time in the future, say) is concluded by each run.
      if (saved.id === loadedId && isStored(fresh, load())) return undefined;
      const kept = keptRows(load(), (question) => learnt.has(question), used);
      const moved =
        saved.id === loadedId ? kept : kept.flatMap((row) => movedRow(row, saved) ?? []);
      const rows = [...fresh.values(), ...moved];
      return rows.length === 0 ? undefined : sealRows(head(saved.id), rows, seal());
    },
  };
}

interface Conclusion {
  readonly answer: string;
  readonly evidence: Evidence;
}

interface Row {
  readonly question: string;
  readonly answer: string;
  readonly ranges: readonly number[];
  readonly facts: readonly SelectionCheck[];
}

function isAsItWas(index: FileIndex, { ranges, facts }: Row): boolean {
  try {
    return (
      index.records.holds(ranges) &&
      facts.every(
        (fact) => holds(index, fact) || (fact.kind === "listing" && holdsWithout(index, fact)),
      )
    );
  } catch {
    // Whoever finds it out says what cannot be looked at.
    return false;
  }
}

/** By question, conclusions from files that are all recorded: what is too young to be vouched for by its stat is concluded from again. */
function freshRows(
  learnt: ReadonlyMap<string, Conclusion>,
  saved: SavedRecords,
): ReadonlyMap<string, string> {
  const rows = new Map<string, string>();
  for (const [question, { answer, evidence }] of learnt) {
    const { files, checks } = evidence;
    const numbers = new Set<number | undefined>(
      files.map(({ path, hash, executable }) =>
        saved.find(path, { kind: "file", hash, executable }),
      ),
    );
    const facts: SelectionCheck[] = [];
    for (const check of checks) {
      const number = recordOf(check, saved);
      if (number === undefined) facts.push(check);
      else numbers.add(number);
    }
    if (numbers.has(undefined)) continue;
    const rest = facts.filter((fact) => !numbers.has(recordOfKind(fact, saved)));
    const ascending = [...numbers].flatMap((number) => number ?? []).toSorted((a, b) => a - b);
    rows.set(
      question,
      formatRow({ question, answer, ranges: numberRanges(ascending), facts: rest }),
    );
  }
  return rows;
}

function isStored(rows: ReadonlyMap<string, string>, stored: ReadonlyMap<string, string>): boolean {
  return [...rows].every(([question, row]) => stored.get(question) === row);
}

/** The record that says all that a check does. */
function recordOf(check: SelectionCheck, saved: SavedRecords): number | undefined {
  if (check.kind === "content") return saved.find(check.path, { kind: "file", hash: check.hash });
  // Of a listing with names that do not count the record may say too much.
  if (check.kind !== "listing" || check.rest !== undefined || check.hash === "") return undefined;
  return saved.find(check.path, { kind: "directory", hash: check.hash });
}

/** Of a fact that something is a file or a folder, the record of that path; -1 for all else. */
function recordOfKind(check: SelectionCheck, saved: SavedRecords): number {
  if (check.kind !== "path" || (check.found !== "file" && check.found !== "directory")) return -1;
  return saved.find(check.path, { kind: check.found, hash: "" }) ?? -1;
}

/** Rows of earlier runs, those that this one used first. */
function keptRows(
  stored: ReadonlyMap<string, string>,
  isLearnt: (question: string) => boolean,
  used: ReadonlySet<string>,
): readonly string[] {
  const isUsed = (question: string): boolean => used.has(question) || isLearnt(question);
  return [
    ...[...used].flatMap((question) => (isLearnt(question) ? [] : (stored.get(question) ?? []))),
    ...unusedRows(stored, isUsed, maxUnusedLength),
  ];
}

function movedRow(text: string, saved: SavedRecords): string | undefined {
  const row = parseRow(text);
  const ranges = row && saved.renumber(row.ranges);
  return ranges && formatRow({ ...row, ranges });
}

function formatRow({ question, answer, ranges, facts }: Row): string {
  const texts = facts.map((fact) => [fact.kind, fact.path, valueOfCheck(fact)]);
  return [question, answer, ranges.join(), JSON.stringify(texts)].join("\t");
}

/** Undefined for what we did not write, under a checksum that anybody can make (with trust off). */
function parseRow(row: string): Row | undefined {
  const [question, answer, numbers, json] = row.split("\t");
  if (question === undefined || answer === undefined || numbers === undefined) return undefined;
  try {
    const facts: SelectionCheck[] = [];
    for (const [kind, path, value] of JSON.parse(json ?? "") as string[][]) {
      const fact = decodeCheck(kind, path, value);
      if (fact === undefined) return undefined;
      facts.push(fact);
    }
    const ranges = numbers === "" ? [] : numbers.split(",").map(Number);
    return { question, answer, ranges, facts };
  } catch {
    return undefined;
  }
}
