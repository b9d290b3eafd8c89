import { appendToFile, replaceFile } from "@cuenv/digest";
import { readState } from "./workspace-state.ts";

/** A result of a task, under its key. */
export interface EarlierResult {
  readonly key: string;
  /** The blob of its `KeyInputs`. */
  readonly keyInputs: { readonly hash: string; readonly sizeBytes: number };
}

export interface EarlierResults {
  /** The last few, the newest first, each key once. */
  get(taskId: string): readonly EarlierResult[];
  add(taskId: string, result: EarlierResult): void;
  save(): void;
}

/** How many results of a task are looked back at. */
const resultsKept = 8;
/** Beyond this (1 MiB, some 6,000 results) the file is written anew with the last results of each task. */
const maxBytes = 1024 * 1024;

/**
 * The results of the tasks of one workspace, a line of JSON each, for finding the one that is nearest to what a miss would be. Only a new result is
 * appended, and only a miss reads the file: a hit costs nothing. Lines of several processes mix whole; any line may be missing.
 */
export function openEarlierResults(path: string | undefined): EarlierResults {
  let known: ReadonlyMap<string, readonly EarlierResult[]> | undefined;
  let added: string[] = [];
  const addedNow = new Map<string, readonly EarlierResult[]>();
  return {
    get: (taskId) => {
      known ??= parseLines(readState(path));
      return newest([...(addedNow.get(taskId) ?? []), ...(known.get(taskId) ?? [])]);
    },
    add: (taskId, result) => {
      addedNow.set(taskId, newest([result, ...(addedNow.get(taskId) ?? [])]));
      added.push(lineOf(taskId, result));
    },
    save: () => {
      if (path === undefined || added.length === 0) return;
      try {
        const text = added.join("");
        if (appendToFile(path, text) + text.length > maxBytes) compact(path);
      } catch {
        // Explanations compare with what there is.
      }
      added = [];
    },
  };
}

function lineOf(taskId: string, { key, keyInputs: { hash, sizeBytes } }: EarlierResult): string {
  return `${JSON.stringify([taskId, key, hash, sizeBytes])}\n`;
}

/** Half of the room at the most, of the newest: so that it is not written anew each time. */
function compact(path: string): void {
  const kept: string[] = [];
  let bytes = 0;
  const results = [...parseLines(readState(path))].toReversed();
  for (const [taskId, list] of results) {
    for (const result of list) {
      const line = lineOf(taskId, result);
      bytes += line.length;
      if (bytes <= maxBytes / 2) kept.push(line);
    }
  }
  replaceFile(path, kept.toReversed().join(""));
}

/** Tasks in the order of their newest result, the newest last; their results the newest first. */
function parseLines(text: string | undefined): ReadonlyMap<string, readonly EarlierResult[]> {
  const found = new Map<string, readonly EarlierResult[]>();
  for (const line of (text ?? "").split("\n")) {
    const row = parseLine(line);
    if (row === undefined) continue;
    const [taskId, result] = row;
    const before = found.get(taskId) ?? [];
    found.delete(taskId);
    found.set(taskId, newest([result, ...before]));
  }
  return found;
}

function newest(results: readonly EarlierResult[]): readonly EarlierResult[] {
  const keys = new Set<string>();
  const distinct = results.filter(({ key }) => {
    const isNew = !keys.has(key);
    keys.add(key);
    return isNew;
  });
  return distinct.slice(0, resultsKept);
}

function parseLine(line: string): readonly [string, EarlierResult] | undefined {
  if (line === "") return undefined;
  try {
    const row: unknown = JSON.parse(line);
    if (!Array.isArray(row)) return undefined;
    const [taskId, key, hash, sizeBytes] = row as unknown[];
    return typeof taskId === "string" &&
      typeof key === "string" &&
      typeof hash === "string" &&
      /^[0-9a-f]{64}$/.test(hash) &&
      typeof sizeBytes === "number"
      ? [taskId, { key, keyInputs: { hash, sizeBytes } }]
      : undefined;
  } catch {
    return undefined; // Cut off by a process that was killed.
  }
}
