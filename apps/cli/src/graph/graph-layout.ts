import type { GraphDocument } from "./task-graph.ts";

/** Where things stand, in pixels: `x`, `y` of the upper left corner. */
export interface PlacedTask {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export interface PlacedEdge {
  readonly from: PlacedTask;
  readonly to: PlacedTask;
  readonly isOrder: boolean;
}

export interface GraphLayout {
  readonly tasks: readonly PlacedTask[];
  readonly edges: readonly PlacedEdge[];
  readonly width: number;
  readonly height: number;
}

export const boxHeight = 30;
const rowHeight = 44;
const columnGap = 70;
const margin = 20;
const letterWidth = 7.5;
const maxLetters = 48;

/**
 * Columns from left to right: a task stands one to the right of the last thing that it waits for. Within a column, in the order that keeps
 * lines short: the mean place of what a task waits for, and of what waits for it, looked at a few times in turn.
 */
export function graphLayout({ tasks }: GraphDocument): GraphLayout {
  const waits = new Map(
    tasks.map(({ name, dependencies, after }) => [name, [...dependencies, ...after]]),
  );
  const columns = orderColumns(columnsOf(waits), waits);
  const placed = new Map<string, PlacedTask>();
  const tallest = Math.max(1, ...columns.map((names) => names.length));
  let x = margin;
  for (const names of columns) {
    const width = Math.max(...names.map(boxWidth));
    const top = margin + ((tallest - names.length) * rowHeight) / 2;
    names.forEach((name, at) => placed.set(name, { name, x, y: top + at * rowHeight, width }));
    x += width + columnGap;
  }
  const edges = tasks.flatMap(({ name, dependencies, after }) =>
    [...dependencies, ...after].flatMap((needed, at) => {
      const [from, to] = [placed.get(needed), placed.get(name)];
      return from && to ? [{ from, to, isOrder: at >= dependencies.length }] : [];
    }),
  );
  return {
    tasks: tasks.flatMap(({ name }) => placed.get(name) ?? []),
    edges,
    width: Math.ceil(x - columnGap + margin),
    height: Math.ceil(tallest * rowHeight + margin),
  };
}

/** A name as it stands in its box. */
export function boxText(name: string): string {
  const letters = Array.from(name);
  return letters.length > maxLetters ? `${letters.slice(0, maxLetters - 1).join("")}…` : name;
}

function boxWidth(name: string): number {
  // Letters of East Asian scripts and emoji are about twice as wide.
  const units = Array.from(boxText(name), (letter) =>
    (letter.codePointAt(0) ?? 0) > 0x2e7f ? 2 : 1,
  ).reduce((sum, each) => sum + each, 0);
  return Math.round(units * letterWidth) + 24;
}

/** Tasks stand after what they wait for, so one pass is enough. */
function columnsOf(waits: ReadonlyMap<string, readonly string[]>): string[][] {
  const column = new Map<string, number>();
  const columns: string[][] = [];
  for (const [name, needed] of waits) {
    const at = Math.max(0, ...needed.map((other) => (column.get(other) ?? -1) + 1));
    column.set(name, at);
    (columns[at] ??= []).push(name);
  }
  return columns;
}

const sweeps = 4;

function orderColumns(
  columns: readonly (readonly string[])[],
  waits: ReadonlyMap<string, readonly string[]>,
): readonly (readonly string[])[] {
  const dependents = new Map<string, string[]>();
  for (const [name, needed] of waits)
    for (const other of needed) dependents.set(other, [...(dependents.get(other) ?? []), name]);
  const place = new Map<string, number>();
  const note = (names: readonly string[]): void =>
    names.forEach((name, at) => place.set(name, at - names.length / 2));
  let ordered = columns;
  ordered.forEach(note);
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    const neighbours = sweep % 2 === 0 ? waits : dependents;
    ordered = ordered.map((names) => {
      const mean = new Map(names.map((name) => [name, meanPlace(name, neighbours, place)]));
      const sorted = names.toSorted(
        (left, right) => (mean.get(left) ?? 0) - (mean.get(right) ?? 0),
      );
      note(sorted);
      return sorted;
    });
  }
  return ordered;
}

function meanPlace(
  name: string,
  neighbours: ReadonlyMap<string, readonly string[]>,
  place: ReadonlyMap<string, number>,
): number {
  const near = neighbours.get(name) ?? [];
  if (near.length === 0) return place.get(name) ?? 0;
  return near.reduce((sum, other) => sum + (place.get(other) ?? 0), 0) / near.length;
}
