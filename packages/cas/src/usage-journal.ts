import { appendToFile, readMemoFile, readMemoStart } from "@cuenv/digest";
import { readdirSync, renameSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { removeQuietly } from "./atomic-write.ts";
import type { EntryId } from "./disk-layout.ts";

/*
 * What eviction needs to know and the tree does not say. A hit costs one line, kept in memory and appended with others in
 * one write: 200 hits are one system call instead of 200 utimes (and a count, which utimes has no place for).
 *
 * journal, one line each (a torn line is passed over):
 *     u <time> <count> <entry>     used: last time (ms since the epoch), how often since the line before
 *     p <time> <bytes> <entry>     stored
 *     b <bytes>                    blobs of so many bytes were added
 *
 * index, written by rename from the index before and the journal:
 *     cuenv-index 1 <time of the last sweep> <bytes that the store had then, and additions since>
 *     <stored> <last used> <count> <entry>
 *
 * Both may be lost or wrong: then the order of eviction is, until the next sweep; nothing else.
 */
export interface EntryUse {
  readonly storedMs: number;
  readonly lastUsedMs: number;
  readonly count: number;
}

export type Totals = Pick<UsageTable, "sweptMs" | "totalBytes">;

export interface UsageTable {
  /** Undefined: never swept. */
  readonly sweptMs: number | undefined;
  /** Approximate size of the store. */
  readonly totalBytes: number;
  readonly entries: ReadonlyMap<EntryId, EntryUse>;
}

export const emptyUsageTable: UsageTable = {
  sweptMs: undefined,
  totalBytes: 0,
  entries: new Map(),
};

/** A journal of this size is folded into the index (1 MiB, about 10 000 lines). */
export const maxJournalBytes: number = 1024 * 1024;
/** No journal or index of ours is larger than this (256 MiB, 2 million entries). */
const maxFileBytes = 256 * 1024 * 1024;

export const indexHeader = "cuenv-index 1";

/** Appends lines. The empty line in front ends a line that an earlier writer left torn. Returns the journal's size. */
export function appendJournal(path: string, lines: readonly string[]): number {
  const text = `\n${lines.join("\n")}\n`;
  return appendToFile(path, text) + text.length;
}

function readText(path: string): string {
  return readMemoFile(path, maxFileBytes)?.toString("latin1") ?? "";
}

const takenJournal = /^journal\.[0-9a-f]{16}$/;

/** Whether a name is that of a journal that a fold took over. */
export function isTakenJournal(name: string): boolean {
  return takenJournal.test(name);
}

/** Journals that a fold took over and did not finish with, oldest first, then the present one. */
function journalPaths(journal: string): string[] {
  let names: string[] = [];
  try {
    names = readdirSync(dirname(journal)).filter(isTakenJournal);
  } catch {
    // Nothing was written yet.
  }
  return [...names.toSorted().map((other) => `${dirname(journal)}/${other}`), journal];
}

export function readUsage(paths: { readonly index: string; readonly journal: string }): UsageTable {
  return addJournals(parseIndex(readText(paths.index)), journalPaths(paths.journal).map(readText));
}

/**
 * What {@link readUsage} tells of the whole store, without its entries: the first line of the index, and what the journals say was added. With a
 * million entries that is 1 ms instead of 1.5 s; every run that stored something asks.
 */
export function readTotals(paths: { readonly index: string; readonly journal: string }): Totals {
  const totals = parseHeader(readStart(paths.index)) ?? emptyUsageTable;
  const added = journalPaths(paths.journal).map((path) => addedBytes(readText(path)));
  return {
    sweptMs: totals.sweptMs,
    totalBytes: added.reduce((sum, bytes) => sum + bytes, totals.totalBytes),
  };
}

/** Of a journal nearly all lines are uses, which add nothing: only the others are taken apart. */
function addedBytes(journal: string): number {
  let bytes = 0;
  for (const [line] of journal.matchAll(/^[bp] .*$/gm)) bytes += addedBy(line.split(" "));
  return bytes;
}

/** What the words of a line say was added to the store. */
function addedBy([kind, first, second, id = ""]: readonly string[]): number {
  const time = Number(first);
  const bytes = Number(second);
  if (kind === "b") return time > 0 ? time : 0;
  return kind === "p" && time >= 0 && bytes >= 0 && id !== "" ? bytes : 0;
}

/** Enough for the first line of an index. */
const headerBytes = 128;

function readStart(path: string): string {
  return readMemoStart(path, headerBytes)?.toString("latin1") ?? "";
}

/** Undefined: this is no index. */
function parseHeader(text: string): Totals | undefined {
  const [line = ""] = text.split("\n", 1);
  const [name, version, swept, total] = line.split(" ");
  if (`${name} ${version}` !== indexHeader) return undefined;
  const sweptMs = Number(swept);
  const totalBytes = Number(total);
  return {
    sweptMs: sweptMs > 0 ? sweptMs : undefined,
    totalBytes: totalBytes > 0 ? totalBytes : 0,
  };
}

function parseIndex(text: string): UsageTable {
  const header = parseHeader(text);
  if (header === undefined) return emptyUsageTable;
  const lines = text.split("\n").slice(1);
  const entries = new Map<EntryId, EntryUse>();
  for (const line of lines) {
    const [stored, lastUsed, count, id] = line.split(" ");
    if (id === undefined) continue;
    const use = { storedMs: Number(stored), lastUsedMs: Number(lastUsed), count: Number(count) };
    if (isUse(use)) entries.set(id, use);
  }
  return { ...header, entries };
}

function isUse(use: EntryUse): boolean {
  return [use.storedMs, use.lastUsedMs, use.count].every(
    (number) => number >= 0 && number < 2 ** 53,
  );
}

function addJournals(table: UsageTable, journals: readonly string[]): UsageTable {
  const entries = new Map(table.entries);
  let { totalBytes } = table;
  for (const line of journals.join("\n").split("\n")) {
    const words = line.split(" ");
    const [kind, first = "", second = "", id = ""] = words;
    totalBytes += addedBy(words);
    const number = Number(second);
    const time = Number(first);
    if (!(time >= 0 && number >= 0) || id === "") continue;
    const before = entries.get(id);
    if (kind === "p") {
      entries.set(id, { storedMs: time, lastUsedMs: time, count: before?.count ?? 0 });
    }
    if (kind === "u") {
      entries.set(id, {
        storedMs: before?.storedMs ?? time,
        lastUsedMs: Math.max(before?.lastUsedMs ?? 0, time),
        count: (before?.count ?? 0) + number,
      });
    }
  }
  return { sweptMs: table.sweptMs, totalBytes, entries };
}

export function formatIndex(table: UsageTable): string {
  const lines = [
    `${indexHeader} ${table.sweptMs ?? 0} ${Math.max(0, Math.round(table.totalBytes))}`,
  ];
  for (const [id, use] of table.entries) {
    lines.push(`${use.storedMs} ${use.lastUsedMs} ${use.count} ${id}`);
  }
  return `${lines.join("\n")}\n`;
}

/**
 * Folds the journal into the index. `change` makes the new table of the old one. The journal is first renamed, so that what is appended meanwhile goes
 * into a new one; a fold that is killed leaves the renamed one behind, and the next fold counts it (once too often at the worst).
 */
export function foldJournal(
  paths: { readonly index: string; readonly journal: string },
  writeIndex: (text: string) => void,
  change: (table: UsageTable) => UsageTable = (table) => table,
): void {
  try {
    renameSync(paths.journal, `${paths.journal}.${randomBytes(8).toString("hex")}`);
  } catch {
    // Nobody appended, or another fold was quicker.
  }
  const taken = journalPaths(paths.journal).filter((path) => path !== paths.journal);
  const table = addJournals(parseIndex(readText(paths.index)), taken.map(readText));
  writeIndex(formatIndex(change(table)));
  for (const path of taken) removeQuietly(path);
}
