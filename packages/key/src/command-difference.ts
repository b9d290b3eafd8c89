import { shortPair } from "./short-pair.ts";

/** How one component was and is, and that in a few words. */
export interface Difference {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly text: string;
}

export interface CommandDifference extends Difference {
  readonly kind: "command" | "argument";
}

/** An argv, taken apart as `resolveAction` of the runner puts it together. */
interface CommandParts {
  /** What the script is given to, `sh -c`; undefined: a program that is executed directly. */
  readonly shell: string | undefined;
  /** The script, or the program. */
  readonly line: string;
  readonly args: readonly string[];
}

/** Tells apart another shell, another script or program, and other arguments; what tells most, if there are several. */
export function commandDifference(
  before: readonly string[],
  after: readonly string[],
): CommandDifference | undefined {
  const [was, is] = [partsOf(before), partsOf(after)];
  if ((was.shell === undefined) !== (is.shell === undefined)) {
    const lines = [[was.line, ...was.args].join(" "), [is.line, ...is.args].join(" ")] as const;
    return lines[0] === lines[1]
      ? lineDifference(before.join(" "), after.join(" "))
      : lineDifference(...lines);
  }
  if (was.line !== is.line) return lineDifference(was.line, is.line);
  if (was.shell !== is.shell) {
    const text = `command changed: shell ${was.shell} → ${is.shell}`;
    return { kind: "command", name: "shell", before: was.shell, after: is.shell, text };
  }
  // Only in $0.
  return argumentsDifference(was.args, is.args) ?? argumentsDifference(before, after);
}

const shells = new Set(
  "sh bash zsh dash ash ksh mksh fish nu python python3 node ruby perl pwsh powershell".split(" "),
);

function partsOf(argv: readonly string[]): CommandParts {
  const [program = "", ...rest] = argv;
  const flag = rest.findIndex((word) => /^-(?:[a-z]*[ce]|Command)$/.test(word));
  const isShell = shells.has(program.slice(program.lastIndexOf("/") + 1));
  const end = flag < 0 ? flag : scriptFlag(rest, flag);
  const script = end < 0 ? undefined : rest[end + 1];
  if (!isShell || script === undefined) return { shell: undefined, line: program, args: rest };
  const args = rest.slice(end + 2);
  return {
    shell: [program, ...rest.slice(0, end + 1)].join(" "),
    line: script,
    // $0, which a shell takes before the arguments.
    args: args[0] === program ? args.slice(1) : args,
  };
}

/** `bash -e -o pipefail -c`: the last flag before the script is the one that says that it is one. */
function scriptFlag(words: readonly string[], first: number): number {
  let at = first;
  for (let next = first + 1; next < words.length - 1; next += 1) {
    const word = words[next] ?? "";
    if (/^-(?:[a-z]*c)$/.test(word)) at = next;
    else if (!word.startsWith("-") && words[next - 1] !== "-o") break;
  }
  return at;
}

function lineDifference(before: string, after: string): CommandDifference {
  const change = { kind: "command", name: "command", before, after } as const;
  const [was, is] = [before.trimEnd(), after.trimEnd()];
  // As arguments after `--` are put behind a command's line.
  if (is.startsWith(`${was} `))
    return {
      ...change,
      text: `command changed: arguments added at its end: ${clip(is.slice(was.length + 1))}`,
    };
  if (was.startsWith(`${is} `))
    return {
      ...change,
      text: `command changed: arguments removed at its end: ${clip(was.slice(is.length + 1))}`,
    };
  return { ...change, text: `command changed: ${shortPair(before, after)}` };
}

function argumentsDifference(
  before: readonly string[],
  after: readonly string[],
): CommandDifference | undefined {
  const start = commonLength(before, after);
  if (start === before.length && start === after.length) return undefined;
  const rest = { before: before.slice(start), after: after.slice(start) };
  const end = commonLength(rest.before.toReversed(), rest.after.toReversed());
  const removed = rest.before.slice(0, rest.before.length - end);
  const added = rest.after.slice(0, rest.after.length - end);
  const [was, is] = [removed.join(" "), added.join(" ")];
  const values = {
    kind: "argument",
    before: removed.length === 0 ? undefined : was,
    after: added.length === 0 ? undefined : is,
  } as const;
  const noun = Math.max(removed.length, added.length) > 1 ? "arguments" : "argument";
  if (removed.length === 0) return { ...values, name: noun, text: `${noun} added: ${clip(is)}` };
  if (added.length === 0) return { ...values, name: noun, text: `${noun} removed: ${clip(was)}` };
  const name = noun === "argument" ? `argument ${start + 1}` : noun;
  return { ...values, name, text: `${name} changed: ${shortPair(was, is)}` };
}

function commonLength(left: readonly string[], right: readonly string[]): number {
  let length = 0;
  while (length < left.length && length < right.length && left[length] === right[length])
    length += 1;
  return length;
}

function clip(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
