import { visibleText } from "../report/visible-text.ts";
import type { Check, CheckStatus } from "./check.ts";

type Paint = (style: "green" | "yellow" | "red" | "dim" | "cyan", text: string) => string;

const look = { ok: "green", note: "yellow", broken: "red" } as const;
const indent = " ".repeat(8);

/** For people: one check a line, longer ones folded, what to do below it. */
export function doctorText(checks: readonly Check[], paint: Paint, columns: number): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, status, message, advice }) => {
    const [first = "", ...more] = folded(visibleText(message), columns - indent.length - width - 2);
    const rest = indent + " ".repeat(width + 2);
    return [
      `${paint(look[status], status.padEnd(indent.length))}${name.padEnd(width)}  ${first}`,
      ...more.map((line) => rest + line),
      ...(advice === undefined ? [] : folded(visibleText(advice), columns - rest.length - 2)).map(
        (line, index) => `${rest}${index === 0 ? paint("cyan", "→ ") : "  "}${line}`,
      ),
    ];
  });
  return `${lines.join("\n")}\n\n${summary(checks)}\n`;
}

function summary(checks: readonly Check[]): string {
  const count = (status: CheckStatus): number =>
    checks.filter((check) => check.status === status).length;
  const [bad, notes] = [count("broken"), count("note")];
  const noted = notes === 0 ? "" : ` ${notes} ${notes === 1 ? "note" : "notes"}.`;
  if (bad === 0) return `All is well.${noted}`;
  return `${bad} ${bad === 1 ? "thing is" : "things are"} broken.${noted}`;
}

/** At spaces; a word that is longer stands alone. */
function folded(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= Math.max(width, 20))
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
