/** Lines shown around a change. */
const context = 3;
/** Beyond this product of lines, the middle is shown as taken out and put in: a diff is for people. */
const maximumCells = 4_000_000;

type Line = readonly [mark: " " | "-" | "+", text: string];

/** A unified diff of two texts, as diff(1) and git write it; "" if they are equal. */
export function lineDiff(before: string, after: string, name: string): string {
  if (before === after) return "";
  const lines = compare(linesOf(before), linesOf(after));
  const hunks = hunksOf(lines);
  return [`--- ${name}`, `+++ ${name}`, ...hunks.flatMap(hunkText), ""].join("\n");
}

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  else lines.push(`${lines.pop() ?? ""}\n\\ No newline at end of file`);
  return lines;
}

function compare(left: readonly string[], right: readonly string[]): readonly Line[] {
  let head = 0;
  while (head < left.length && head < right.length && left[head] === right[head]) head += 1;
  let tail = 0;
  const room = Math.min(left.length, right.length) - head;
  while (tail < room && left.at(-1 - tail) === right.at(-1 - tail)) tail += 1;
  const keep = (text: string): Line => [" ", text];
  return [
    ...left.slice(0, head).map(keep),
    ...middle(left.slice(head, left.length - tail), right.slice(head, right.length - tail)),
    ...left.slice(left.length - tail).map(keep),
  ];
}

/** By the longest common subsequence. */
function middle(left: readonly string[], right: readonly string[]): readonly Line[] {
  const width = right.length + 1;
  if (left.length * right.length > maximumCells)
    return [...left.map((text): Line => ["-", text]), ...right.map((text): Line => ["+", text])];
  const common = new Uint32Array((left.length + 1) * width);
  const at = (row: number, column: number): number => common[row * width + column] ?? 0;
  for (let row = left.length - 1; row >= 0; row -= 1)
    for (let column = right.length - 1; column >= 0; column -= 1)
      common[row * width + column] =
        left[row] === right[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
  const lines: Line[] = [];
  let row = 0;
  let column = 0;
  while (row < left.length || column < right.length) {
    if (row < left.length && column < right.length && left[row] === right[column]) {
      lines.push([" ", left[row] ?? ""]);
      row += 1;
      column += 1;
    } else if (
      row < left.length &&
      (column === right.length || at(row + 1, column) >= at(row, column + 1))
    ) {
      lines.push(["-", left[row] ?? ""]);
      row += 1;
    } else {
      lines.push(["+", right[column] ?? ""]);
      column += 1;
    }
  }
  return lines;
}

interface Hunk {
  readonly oldStart: number;
  readonly newStart: number;
  readonly lines: readonly Line[];
}

function hunksOf(lines: readonly Line[]): readonly Hunk[] {
  const changed = lines.flatMap(([mark], index) => (mark === " " ? [] : [index]));
  const ranges: [number, number][] = [];
  for (const index of changed) {
    const last = ranges.at(-1);
    if (last !== undefined && index - context <= last[1]) last[1] = index + context + 1;
    else ranges.push([Math.max(0, index - context), index + context + 1]);
  }
  const count = (until: number, mark: "-" | "+"): number =>
    lines.slice(0, until).filter(([each]) => each !== mark).length;
  return ranges.map(([start, end]) => ({
    oldStart: count(start, "+") + 1,
    newStart: count(start, "-") + 1,
    lines: lines.slice(start, end),
  }));
}

function hunkText({ oldStart, newStart, lines }: Hunk): readonly string[] {
  const size = (mark: "-" | "+"): number => lines.filter(([each]) => each !== mark).length;
  const range = (start: number, length: number): string =>
    `${length === 0 ? start - 1 : start},${length}`;
  const head = `@@ -${range(oldStart, size("+"))} +${range(newStart, size("-"))} @@`;
  return [head, ...lines.map(([mark, text]) => `${mark}${text}`)];
}
