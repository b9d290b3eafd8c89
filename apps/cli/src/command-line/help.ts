import { commands } from "./command-table.ts";
import type { Command } from "./command.ts";
import { helpFlag } from "./help-flag.ts";

/** Lines get no longer than a terminal is wide, and no longer than one likes to read. */
const widest = 100;
const narrowest = 60;
const usual = 80;

/** Help for one command, for a group of them (`cache`), or for all; `columns`: how wide the terminal is. */
export function helpText(
  command: Command | undefined,
  topic: string | undefined,
  columns: number = usual,
): string {
  const width = Math.min(widest, Math.max(narrowest, columns));
  if (command !== undefined) return commandHelp(command, width);
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const group = shown.filter((candidate) => candidate.name.startsWith(`${topic} `));
  return overview(group.length > 0 ? group : shown, width);
}

function overview(shown: readonly Command[], width: number): string {
  const rows = shown.map(({ name, aliases, summary }): Row => {
    const others = aliases.length > 0 ? ` (also ${aliases.join(", ")})` : "";
    return [`  ${name}`, `${summary}${others}`];
  });
  const examples = shown.flatMap((command) => command.examples.slice(0, 1)).slice(0, 3);
  return [
    "Runs the tasks of an env.cue through a persistent, content-addressed cache.",
    "",
    "Usage: cuenv [-C DIR] COMMAND [flags]",
    "",
    "Commands:",
    ...columnsOf(rows, width),
    "",
    ...exampleLines(examples, width),
    "",
    "cuenv COMMAND --help says more; cuenv --version prints the version.",
    ...wrapped(
      "Exit codes: the task's own; 2 wrong usage; 3 configuration; 70 cuenv failed; 128+n signal.",
      width,
    ),
    "",
  ].join("\n");
}

function commandHelp(command: Command, width: number): string {
  const rows = Object.entries({ ...command.flags, help: helpFlag }).map(([name, flag]): Row => {
    const short = flag.short === undefined ? "    " : `-${flag.short}, `;
    const value = flag.value === undefined ? "" : ` ${flag.value}`;
    return [`  ${short}--${name}${value}`, flag.summary];
  });
  const { summary, about, usage, aliases, examples } = command;
  return [
    ...wrapped(`${summary}.`, width),
    ...(about === undefined ? [] : ["", ...paragraphs(about, width)]),
    "",
    `Usage: ${usage}`,
    ...(aliases.length > 0
      ? [`Also:  ${aliases.map((alias) => `cuenv ${alias}`).join(", ")}`]
      : []),
    "",
    "Flags:",
    ...columnsOf(rows, width),
    "",
    ...exampleLines(examples, width),
    "",
  ].join("\n");
}

type Row = readonly [left: string, right: string];

/** Two columns; what is too long for the second goes on below itself. */
function columnsOf(rows: readonly Row[], width: number): readonly string[] {
  const indent = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.flatMap(([left, right]) =>
    wrapped(right, width - indent).map(
      (line, at) => `${(at === 0 ? left : "").padEnd(indent)}${line}`,
    ),
  );
}

/** Beside what they are for or, when one has no room there, below it. */
function exampleLines(examples: Command["examples"], width: number): readonly string[] {
  const left = Math.max(...examples.map(([command]) => command.length));
  const lines = examples.map(([command, what]) => `  ${command.padEnd(left)}  # ${what}`);
  if (lines.every((line) => line.length <= width)) return ["Examples:", ...lines];
  const stacked = examples.flatMap(([command, what]) => [
    ...wrapped(what, width - 4).map((line) => `  # ${line}`),
    `  ${command}`,
  ]);
  return ["Examples:", ...stacked];
}

/** Lines that follow each other are one paragraph; an empty one ends it, and one that is indented stands as it is. */
function paragraphs(lines: readonly string[], width: number): readonly string[] {
  const made: string[] = [];
  let text = "";
  const end = (): void => {
    if (text !== "") made.push(...wrapped(text, width));
    text = "";
  };
  for (const line of lines) {
    if (line !== "" && !line.startsWith(" ")) {
      text = text === "" ? line : `${text} ${line}`;
      continue;
    }
    end();
    made.push(line);
  }
  end();
  return made;
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
