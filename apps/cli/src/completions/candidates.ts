import { commands as allCommands } from "../command-line/command-table.ts";
import type { Command, Flag } from "../command-line/command.ts";
import { directory } from "../command-line/common-flags.ts";
import { helpFlag } from "../command-line/help-flag.ts";

export interface Candidate {
  readonly value: string;
  readonly what: string;
}

/** What could stand in the place of the last word. `names`: something that only the project knows. */
export type Completion =
  | { readonly kind: "these"; readonly candidates: readonly Candidate[] }
  | { readonly kind: "files" | "folders" }
  | {
      readonly kind: "tasks" | "environments";
      /** What stands before the name in the same word: `--env=`. */
      readonly prefix: string;
      /** What is written of it. */
      readonly begun: string;
      /** Already on the line. */
      readonly taken: readonly string[];
    };

const nothing: Completion = { kind: "these", candidates: [] };

/**
 * `words`: the command line without `cuenv`, up to the cursor; the last one is being written, and may be empty. `folder` is where `-C` leads, if it
 * is there.
 */
export function completionOf(words: readonly string[]): {
  readonly completion: Completion;
  readonly folder: string | undefined;
  /** What `--package` says, if it is there. */
  readonly packageName: string | undefined;
} {
  const current = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  return {
    completion: complete(before, current),
    folder: givenFolder(before),
    packageName: givenPackage(before),
  };
}

function complete(before: readonly string[], current: string): Completion {
  // Behind `--` are arguments of a task or a command: nobody knows them, files are the best guess.
  if (before.includes("--")) return { kind: "files" };
  const { start, flag } = skipGlobalFlags(before);
  if (flag !== undefined) return { kind: "folders" };
  const own = before.slice(start);
  const shown = allCommands.filter(({ hidden }) => hidden !== true);
  const command = findCommand(shown, own);
  if (command === undefined) return completeCommand(shown, own, current);
  return completeWithin(command, own.slice(command.name.split(" ").length), current);
}

function skipGlobalFlags(words: readonly string[]): {
  readonly start: number;
  readonly flag: Flag | undefined;
} {
  let start = 0;
  for (; start < words.length; start += 1) {
    const word = words[start] ?? "";
    if (word === "-C" || word === "--directory") {
      start += 1;
      if (start >= words.length) return { start, flag: directory };
    } else if (!word.startsWith("--directory=") && !/^-C./.test(word)) break;
  }
  return { start, flag: undefined };
}

function givenFolder(words: readonly string[]): string | undefined {
  for (const [index, word] of words.entries()) {
    if (word === "--") return undefined;
    if (word === "-C" || word === "--directory") return words[index + 1];
    if (word.startsWith("--directory=")) return word.slice("--directory=".length);
    if (/^-C./.test(word)) return word.slice(2);
  }
  return undefined;
}

function givenPackage(words: readonly string[]): string | undefined {
  const own = words.includes("--") ? words.slice(0, words.indexOf("--")) : words;
  const at = own.findLastIndex((word) => /^--package(?:=|$)/.test(word));
  const word = own[at];
  return word === "--package" ? own[at + 1] : word?.slice("--package=".length);
}

function findCommand(shown: readonly Command[], words: readonly string[]): Command | undefined {
  const [first = "", second = ""] = words;
  return (
    shown.find(({ name }) => name === `${first} ${second}`) ??
    shown.find(({ name, aliases }) => name === first || aliases.includes(first))
  );
}

function completeCommand(
  shown: readonly Command[],
  words: readonly string[],
  current: string,
): Completion {
  const [group, more] = words;
  if (more !== undefined) return nothing;
  if (group === "help") return completeCommand(shown, [], current);
  if (current.startsWith("-")) {
    const flags = { directory, help: helpFlag, version: { summary: "Print the version" } };
    return these(flagCandidates(flags), current);
  }
  const found = new Map<string, string>();
  for (const { name, summary } of shown) {
    const [first = "", second] = name.split(" ");
    if (group === undefined && !found.has(first))
      found.set(first, second === undefined ? summary : groupSummary(shown, first));
    else if (group === first && second !== undefined) found.set(second, summary);
  }
  return these(
    [...found].map(([value, what]) => ({ value, what })),
    current,
  );
}

function groupSummary(shown: readonly Command[], group: string): string {
  const members = shown.filter(({ name }) => name.startsWith(`${group} `));
  return members.map(({ name }) => name.slice(group.length + 1)).join(", ");
}

function completeWithin(command: Command, words: readonly string[], current: string): Completion {
  const flags: Readonly<Record<string, Flag>> = { ...command.flags, help: helpFlag };
  const expected = flagOf(flags, words.at(-1) ?? "");
  if (expected?.flag.type === "string")
    return completeValue(expected.name, expected.flag, "", current);
  const equals = /^(?<prefix>--(?<name>[^=]+)=)(?<value>.*)$/s.exec(current)?.groups;
  if (equals !== undefined) {
    const { prefix = "", name = "", value = "" } = equals;
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
    return flag?.type === "string" ? completeValue(name, flag, prefix, value) : nothing;
  }
  if (current.startsWith("-")) return these(flagCandidates(flags), current);
  return completeName(command, namesIn(flags, words), current);
}

function flagOf(
  flags: Readonly<Record<string, Flag>>,
  word: string,
): { readonly name: string; readonly flag: Flag } | undefined {
  for (const [name, flag] of Object.entries(flags))
    if (word === `--${name}` || (flag.short !== undefined && word === `-${flag.short}`))
      return { name, flag };
  return undefined;
}

function namesIn(flags: Readonly<Record<string, Flag>>, words: readonly string[]): string[] {
  return words.filter((word, index) => {
    const before = flagOf(flags, words[index - 1] ?? "");
    return !word.startsWith("-") && before?.flag.type !== "string";
  });
}

function completeValue(name: string, flag: Flag, prefix: string, value: string): Completion {
  if (flag.choices !== undefined) {
    const candidates = flag.choices.map((choice) => ({ value: prefix + choice, what: "" }));
    return these(candidates, prefix + value);
  }
  if (name === "env") return { kind: "environments", prefix, begun: value, taken: [] };
  if (flag.value === "DIR") return { kind: "folders" };
  return flag.value === "FILE" ? { kind: "files" } : nothing;
}

function completeName(command: Command, taken: readonly string[], current: string): Completion {
  const { usage, takesNames } = command;
  if (!takesNames) return nothing;
  if (/\bSHELL\b/.test(usage)) {
    const shells = ["bash", "zsh", "fish"].map((value) => ({ value, what: "" }));
    return taken.length > 0 ? nothing : these(shells, current);
  }
  const isMany = usage.includes("TASK…");
  if (/\bTASK\b/.test(usage))
    return isMany || taken.length === 0
      ? { kind: "tasks", prefix: "", begun: current, taken }
      : nothing;
  return /\bFILE\b|COMMAND/.test(usage.replace(/--\S+ FILE/, "")) ? { kind: "files" } : nothing;
}

function flagCandidates(
  flags: Readonly<Record<string, { readonly summary: string }>>,
): readonly Candidate[] {
  return Object.entries(flags).map(([name, { summary }]) => ({
    value: `--${name}`,
    what: summary,
  }));
}

function these(candidates: readonly Candidate[], current: string): Completion {
  return {
    kind: "these",
    candidates: candidates.filter(({ value }) => value.startsWith(current)),
  };
}
