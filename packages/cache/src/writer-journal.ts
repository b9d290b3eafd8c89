import { isAbandoned, isOfThisMachine, processStart } from "@cuenv/cas";
import { createFileAppender, makeFolders, readMemoFile } from "@cuenv/digest";
import { readdirSync, statSync, unlinkSync } from "node:fs";
import { isGroupRunning } from "./process-group.ts";

/*
 * The files of output-writers.ts: one for each process, a line of JSON for each thing that it does. Only its own process writes to it, and it only grows; so who knows how
 * long it was when a run began finds what was done since behind that.
 */

export type WriterLine =
  /** A task begins that writes outputs; `read`: that only reads those of others. Since when (ms since the epoch). */
  | { readonly kind: "run" | "read"; readonly task: string; readonly since: number }
  /** Its process is the leader of this group, and began then (`processStart`). */
  | {
      readonly kind: "start";
      readonly task: string;
      readonly group: number;
      readonly begun?: string;
    }
  | { readonly kind: "end"; readonly task: string }
  | { readonly kind: "restore"; readonly task: string; readonly key: string };

/** A run that has not ended. */
export interface OpenRun {
  readonly writes: boolean;
  readonly since: number;
  readonly group?: number;
  readonly begun?: string | undefined;
}

/** What a process had said when somebody looked. */
export interface Journal {
  readonly bytes: number;
  readonly modifiedMs: number;
  /** Its process was killed, or has ended while others ran. */
  readonly isGone: boolean;
  /** By task. Of a process that is gone, those whose own processes go on without it: they still write. */
  readonly runs: ReadonlyMap<string, OpenRun>;
}

/** No process runs so many tasks (64 MiB). */
const maxBytes = 64 * 1024 * 1024;
/** Of a process that runs tasks, how often its file is touched (ms). */
export const writerHeartbeatMs = 10_000;
/**
 * A process that nobody here can ask, in another container or before the machine started anew, is gone after this time without a sign of it (ms). It
 * may have been killed while it ran a task, and until then no run of that task is stored.
 */
const silentMs = 60_000;

/** The journal of this process. */
export interface OwnJournal {
  /** False in a folder that cannot be written to: then nobody can be told, as without this. */
  append(line: WriterLine): boolean;
  close(): void;
}

/** Made with the first line. */
export function createOwnJournal(directory: string, own: string): OwnJournal {
  const appender = createFileAppender(`${directory}/${own}`, maxBytes);
  return {
    append(line) {
      const text = `${JSON.stringify(line)}\n`;
      try {
        try {
          appender.append(text);
        } catch {
          makeFolders(directory);
          appender.append(text);
        }
        return true;
      } catch {
        return false;
      }
    },
    close: () => {
      appender.close();
    },
  };
}

/** The journals of all processes but this one. */
export function readJournals(
  directory: string,
  own: string,
  nowMs: number,
): ReadonlyMap<string, Journal> {
  const journals = new Map<string, Journal>();
  for (const name of journalNames(directory)) {
    if (name === own) continue;
    const path = `${directory}/${name}`;
    const modifiedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (modifiedMs === undefined) continue;
    const { lines, bytes } = readLines(directory, name);
    const runs = openRuns(lines);
    const isHere = isOfThisMachine(name);
    const isGone = isHere
      ? isAbandoned(name, modifiedMs, nowMs)
      : Math.abs(nowMs - modifiedMs) > silentMs;
    if (isGone) keepOrphans(runs, isHere);
    journals.set(name, { bytes, modifiedMs, isGone, runs });
  }
  return journals;
}

export function journalNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/**
 * What a file says behind `from`; undefined for a line that is no line of ours, or not written to its end yet. One that is shorter than it was has been
 * removed and made again: all of it is new.
 */
export function readLines(
  directory: string,
  name: string,
  from = 0,
): { readonly lines: readonly (WriterLine | undefined)[]; readonly bytes: number } {
  const bytes = readMemoFile(`${directory}/${name}`, maxBytes) ?? Buffer.alloc(0);
  const text = bytes.subarray(bytes.length < from ? 0 : from).toString();
  const lines = text.split("\n").flatMap((line) => (line === "" ? [] : [lineOf(line)]));
  return { lines, bytes: bytes.length };
}

export function removeJournal(directory: string, name: string): void {
  try {
    unlinkSync(`${directory}/${name}`);
  } catch {
    // Another process was sooner.
  }
}

function openRuns(lines: readonly (WriterLine | undefined)[]): Map<string, OpenRun> {
  const runs = new Map<string, OpenRun>();
  for (const line of lines) {
    if (line === undefined) continue;
    const { kind, task } = line;
    const run = runs.get(task);
    if (kind === "run" || kind === "read")
      runs.set(task, { writes: kind === "run", since: line.since });
    else if (kind === "start" && run !== undefined)
      runs.set(task, { ...run, group: line.group, begun: line.begun });
    else if (kind === "end") runs.delete(task);
  }
  return runs;
}

/** A killed cuenv ends none of the processes that it started. Those of another machine cannot be asked. */
function keepOrphans(runs: Map<string, OpenRun>, isHere: boolean): void {
  for (const [task, { group, begun }] of runs)
    if (!isHere || group === undefined || !isGroupThere(group, begun)) runs.delete(task);
}

/** The number of a group is given to no other process while one of it is there; once it has been, that process began later. */
function isGroupThere(group: number, begun: string | undefined): boolean {
  const leader = processStart(group);
  if (leader !== undefined && begun !== undefined && leader !== begun) return false;
  return isGroupRunning(group);
}

function lineOf(text: string): WriterLine | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return isLine(line) ? line : undefined;
  } catch {
    return undefined;
  }
}

function isLine(line: unknown): line is WriterLine {
  if (typeof line !== "object" || line === null || !("kind" in line && "task" in line))
    return false;
  if (typeof line.task !== "string") return false;
  switch (line.kind) {
    case "run":
    case "read":
      return "since" in line && typeof line.since === "number";
    case "start":
      // 0 and 1 would be this process's own group, and every process.
      return "group" in line && Number.isInteger(line.group) && Number(line.group) > 1;
    case "restore":
      return "key" in line && typeof line.key === "string";
    default:
      return line.kind === "end";
  }
}
