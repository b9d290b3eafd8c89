import { parseArgs } from "node:util";
import { CuenvError, nearName } from "@cuenv/errors";
import type { Command, Flag, Invocation } from "./command.ts";
import { helpFlag } from "./help-flag.ts";

export type ParsedCommandLine =
  | { readonly kind: "version" }
  | {
      readonly kind: "help";
      readonly command: Command | undefined;
      readonly topic: string | undefined;
    }
  | { readonly kind: "command"; readonly command: Command; readonly invocation: Invocation };

/** Flags that may stand before the command. */
const globalFlags: Readonly<Record<string, Flag>> = {
  directory: { type: "string", short: "C", summary: "Run as if started in this folder" },
};

/**
 * Finds the command and its flags. Flags may stand before or after names; everything after the first `--` is kept
 * apart, as it is.
 * @param commands those that are known
 * @throws {CuenvError} USAGE, with the near command or flag as a hint.
 */
export function parseCommandLine(
  argv: readonly string[],
  commands: readonly Command[],
): ParsedCommandLine {
  const escape = argv.indexOf("--");
  const own = escape < 0 ? argv : argv.slice(0, escape);
  const rest = escape < 0 ? undefined : argv.slice(escape + 1);
  const { before, words } = splitGlobalFlags(own);
  const [first] = words;
  if (first === undefined && rest !== undefined && rest.length > 0)
    throw new CuenvError("USAGE", "cannot run cuenv: no command stands before --", {
      hint: "cuenv exec -- COMMAND runs a program, cuenv task NAME -- ARGS… a task with arguments.",
    });
  if (first === undefined || first === "help" || first === "--help" || first === "-h")
    return help(words.slice(1), commands);
  if (first === "--version" || first === "-V" || first === "version") return { kind: "version" };
  const { command, used } = findCommand(words, commands);
  if (command === undefined) return commandGroupHelp(words, commands);
  if (command.passesThrough === true)
    return passThrough(command, before, argv.slice(before.length + used));
  return parseCommand(command, [...before, ...words.slice(used)], rest);
}

function passThrough(
  command: Command,
  before: readonly string[],
  rest: readonly string[],
): ParsedCommandLine {
  const [only, ...more] = rest;
  if (more.length === 0 && (only === undefined || only === "--help" || only === "-h"))
    return { kind: "help", command, topic: command.name };
  const parsed = parseCommand(command, before, undefined);
  if (parsed.kind !== "command") return parsed;
  return { ...parsed, invocation: { ...parsed.invocation, rest } };
}

/** `cuenv -C dir task` means the same as `cuenv task -C dir`. */
function splitGlobalFlags(argv: readonly string[]): { before: string[]; words: string[] } {
  const before: string[] = [];
  let index = 0;
  for (; index < argv.length; index += 1) {
    const word = argv[index] ?? "";
    if (word === "-C" || word === "--directory") {
      const directory = argv[index + 1];
      if (directory === undefined)
        throw new CuenvError("USAGE", `cannot run cuenv: ${word} needs a folder`, {
          hint: "cuenv -C DIR COMMAND; see cuenv --help.",
        });
      before.push(word, directory);
      index += 1;
    } else if (word.startsWith("--directory=") || /^-C./.test(word)) {
      before.push(word);
    } else {
      break;
    }
  }
  return { before, words: argv.slice(index) };
}

function findCommand(
  words: readonly string[],
  commands: readonly Command[],
): { command: Command | undefined; used: number } {
  const [first = "", second = ""] = words;
  const two = commands.find((command) => command.name === `${first} ${second}`);
  if (two !== undefined) return { command: two, used: 2 };
  const one = commands.find((command) => command.name === first || command.aliases.includes(first));
  return { command: one, used: 1 };
}

/** A first word that begins no command is an error; one that begins several (`cache`) gets their help. */
function commandGroupHelp(
  words: readonly string[],
  commands: readonly Command[],
): ParsedCommandLine {
  const [first = "", second] = words;
  const members = commands.filter((command) => command.name.startsWith(`${first} `));
  if (members.length > 0 && (second === undefined || second === "--help" || second === "-h")) {
    return { kind: "help", command: undefined, topic: first };
  }
  const isMember = members.length > 0 && second !== undefined;
  const given = isMember ? `${first} ${second}` : first;
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const isFlag = given.startsWith("-");
  const names = isFlag
    ? ["version", "help", ...Object.keys(globalFlags)].map((name) => `--${name}`)
    : shown.flatMap((command) => [command.name, ...command.aliases]);
  // Of a group, the second word alone: of "cache frob" and "cache show" most letters are the same.
  const near = isMember ? nearMember(first, second, members) : nearName(given, names);
  const what = isFlag ? `unknown flag ${given}` : `unknown command "${given}"`;
  throw new CuenvError("USAGE", `cannot run cuenv: ${what}`, {
    hint:
      near === undefined
        ? `See cuenv ${isMember ? `${first} ` : ""}--help.`
        : `Did you mean "cuenv ${near}"?`,
  });
}

function nearMember(group: string, given: string, members: readonly Command[]): string | undefined {
  const shown = members.filter(({ hidden }) => hidden !== true);
  const near = nearName(
    given,
    shown.map(({ name }) => name.slice(group.length + 1)),
  );
  return near && `${group} ${near}`;
}

function help(words: readonly string[], commands: readonly Command[]): ParsedCommandLine {
  const [topic] = words;
  const { command } = findCommand(words, commands);
  if (command === undefined && topic !== undefined && !topic.startsWith("-"))
    return commandGroupHelp(words, commands);
  return { kind: "help", command, topic };
}

function parseCommand(
  command: Command,
  words: readonly string[],
  rest: readonly string[] | undefined,
): ParsedCommandLine {
  const options = Object.fromEntries(
    Object.entries({ ...globalFlags, ...command.flags, help: helpFlag }).map(([name, flag]) => [
      name,
      flag.short === undefined ? { type: flag.type } : { type: flag.type, short: flag.short },
    ]),
  );
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options,
      allowPositionals: true,
      strict: true,
    });
    if (values["help"] === true) return { kind: "help", command, topic: command.name };
    refuseWords(command, positionals, rest);
    // Where nothing is passed on to a program, the dashes only end the flags.
    const invocation = passesOn(command)
      ? { flags: values, names: positionals, rest }
      : { flags: values, names: [...positionals, ...(rest ?? [])], rest: undefined };
    return { kind: "command", command, invocation };
  } catch (error) {
    if (error instanceof CuenvError) throw error;
    throw usageError(command, words, error);
  }
}

function passesOn({ usage }: Command): boolean {
  return usage.includes("-- ");
}

/** Words that a command would pass over in silence were meant for something. */
function refuseWords(
  command: Command,
  names: readonly string[],
  rest: readonly string[] | undefined,
): void {
  const [first] = command.takesNames ? [] : [...names, ...(rest ?? [])];
  if (first === undefined) return;
  throw new CuenvError(
    "USAGE",
    `cannot run cuenv ${command.name}: it takes no names, and ${JSON.stringify(first)} is one`,
    { hint: `See cuenv ${command.name} --help.` },
  );
}

function usageError(command: Command, words: readonly string[], error: unknown): CuenvError {
  const text = error instanceof Error ? error.message : String(error);
  const unknown = /Unknown option '(?<flag>-[^']*)'/.exec(text)?.groups?.["flag"];
  const flags = Object.keys(command.flags).map((name) => `--${name}`);
  const near = unknown === undefined ? undefined : nearName(unknown, [...flags, "--help"]);
  const reason = unknown === undefined ? valueReason(text) : `unknown flag ${unknown}`;
  const see = `See cuenv ${command.name} --help.`;
  // A flag of the task's program, most likely: `cuenv task test --coverage`, `cuenv exec ls -la`.
  const isForAnother =
    unknown !== undefined && passesOn(command) && !(words[0] ?? "-").startsWith("-");
  const behind = isForAnother ? `What is for the program stands behind --. ${see}` : see;
  return new CuenvError(
    "USAGE",
    `cannot run cuenv ${[command.name, ...words].join(" ").trim()}: ${reason}`,
    {
      hint: near === undefined ? behind : `Did you mean ${near}? ${see}`,
    },
  );
}

/** What is wrong with a flag's value, from Node's words for it. */
function valueReason(text: string): string {
  const flag = /^Option '(?:-\w, )?(?<flag>--[\w-]+)/.exec(text)?.groups?.["flag"];
  if (flag !== undefined && text.includes("argument missing")) return `${flag} needs a value`;
  if (flag !== undefined && text.includes("is ambiguous"))
    return `${flag} needs a value, and one that begins with a dash is given as ${flag}=VALUE`;
  return (text.split(/\.\s/)[0] ?? text).replace(/\.$/, "");
}
