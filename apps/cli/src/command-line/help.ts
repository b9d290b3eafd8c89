import { commands } from "./command-table.ts";
import type { Command } from "./command.ts";
import { helpFlag } from "./help-flag.ts";

/** Help for one command, for a group of them (`cache`), or for all. */
export function helpText(command: Command | undefined, topic: string | undefined): string {
  if (command !== undefined) return commandHelp(command);
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const group = shown.filter((candidate) => candidate.name.startsWith(`${topic} `));
  return overview(group.length > 0 ? group : shown);
}

function overview(shown: readonly Command[]): string {
  const width = Math.max(...shown.map((command) => command.name.length));
  const lines = shown.map((command) => {
    const aliases = command.aliases.length > 0 ? ` (also ${command.aliases.join(", ")})` : "";
    return `  ${command.name.padEnd(width)}  ${command.summary}${aliases}`;
  });
  const examples = shown.flatMap((command) => command.examples.slice(0, 1)).slice(0, 3);
  return [
    "Runs the tasks of an env.cue through a persistent, content-addressed cache.",
    "",
    "Usage: cuenv [-C DIR] COMMAND [flags]",
    "",
    "Commands:",
    ...lines,
    "",
    ...exampleLines(examples),
    "",
    "cuenv COMMAND --help says more; cuenv --version prints the version.",
    "Exit codes: the task's own; 2 wrong usage; 3 configuration; 70 cuenv failed; 128+n signal.",
    "",
  ].join("\n");
}

function commandHelp(command: Command): string {
  const flags = Object.entries({ ...command.flags, help: helpFlag });
  const left = flags.map(([name, flag]) => {
    const short = flag.short === undefined ? "    " : `-${flag.short}, `;
    return `  ${short}--${name}${flag.value === undefined ? "" : ` ${flag.value}`}`;
  });
  const width = Math.max(...left.map((text) => text.length));
  return [
    `${command.summary}.`,
    ...(command.about === undefined ? [] : ["", ...command.about]),
    "",
    `Usage: ${command.usage}`,
    ...(command.aliases.length > 0
      ? [`Also:  ${command.aliases.map((alias) => `cuenv ${alias}`).join(", ")}`]
      : []),
    "",
    "Flags:",
    ...flags.map(([, flag], index) => `${(left[index] ?? "").padEnd(width)}  ${flag.summary}`),
    "",
    ...exampleLines(command.examples),
    "",
  ].join("\n");
}

function exampleLines(examples: Command["examples"]): string[] {
  const width = Math.max(...examples.map(([command]) => command.length));
  return [
    "Examples:",
    ...examples.map(([command, what]) => `  ${command.padEnd(width)}  # ${what}`),
  ];
}
