import { isDataList, isDataObject, kindOf, quoted } from "../evaluated-package.ts";
import { pointerTo } from "../json-pointer.ts";
import { named, type Struct } from "../struct.ts";
import type { Argument, TaskAction } from "../task.ts";
import { isOutputReference, readOutputReference, type ValueContext } from "./environment-values.ts";

/** The argv before a script's text, for interpreters that do not take `-c`. */
const interpreters: Readonly<Record<string, readonly string[]>> = {
  powershell: ["powershell", "-Command"],
  pwsh: ["pwsh", "-Command"],
  python: ["python3", "-c"],
  node: ["node", "-e"],
  ruby: ["ruby", "-e"],
  perl: ["perl", "-e"],
};

/** Shells that know `-e`, `-u`, `-x`; of these, dash's `sh` has no pipefail. */
const optionNames: ReadonlySet<string> = new Set(["errexit", "nounset", "pipefail", "xtrace"]);
const optionShells = ["bash", "sh", "zsh"];

/** Words that only a shell can carry out, or that differ from the program of the same name. */
const shellWords = new Set(
  ". : [ alias bg break builtin case cd command continue declare dirs do done echo elif else esac eval exec exit export fg fi for function getopts hash if in jobs kill let local popd printf pushd pwd read readonly return select set shift source test then time times trap type typeset ulimit umask unalias unset until wait while".split(
    " ",
  ),
);

/** How the task's process is made; undefined when it cannot be told, which `problems` then says. */
export function readAction(context: ValueContext, struct: Struct): TaskAction | undefined {
  if (struct.has("command") && struct.has("script")) {
    // cuenv 0.54 took such tasks (`#cargo & {script: …}`), and not the same one of the two everywhere.
    const message = `cannot run ${struct.what}: it has both \`command\` and \`script\``;
    return { kind: "refused", message, hint: "keep one of the two" };
  }
  if (struct.has("script")) return readScript(struct);
  if (struct.has("command")) return readCommand(context, struct);
  const message = `cannot read ${struct.what}: it has neither \`command\` nor \`script\``;
  const hint = 'a group has tasks in it, or `type: "group"`';
  struct.problems.add("CONFIG_ACTION", struct.pointer, message, hint);
  return undefined;
}

function readCommand(context: ValueContext, struct: Struct): TaskAction | undefined {
  const command = readText(struct, "command");
  for (const field of ["scriptShell", "shellOptions"])
    if (struct.has(field)) struct.wrongValue(field, "belongs to `script`, not to `command`");
  const shell = readShell(struct, "shell");
  if (!struct.has("args")) {
    if (command === undefined) return undefined;
    if (shell === undefined && isProgram(command)) return { kind: "argv", argv: [command.trim()] };
    return { kind: "shell", shell: shell ?? ["sh", "-c"], script: command, appendArguments: true };
  }
  if (shell !== undefined) {
    const message =
      "`shell` has no effect on a command with `args`, which is executed without a shell";
    struct.problems.warn("shell with args", struct.at("shell"), message);
  }
  const args = readArguments(context, struct);
  return command === undefined ? undefined : { kind: "argv", argv: [command, ...args] };
}

function readScript(struct: Struct): TaskAction | undefined {
  const script = readText(struct, "script");
  if (struct.has("args")) struct.wrongValue("args", "belongs to `command`, not to `script`");
  const shell = readShell(struct, struct.spelling("scriptShell", "shell")) ?? ["bash", "-c"];
  const options = readShellOptions(struct, shell[0] ?? "");
  if (script === undefined) return undefined;
  const [program = "bash", ...flags] = shell;
  return {
    kind: "shell",
    shell: [program, ...options, ...flags],
    script,
    appendArguments: false,
  };
}

function readText(struct: Struct, field: "command" | "script"): string | undefined {
  const text = struct.string(field);
  if (text === undefined) return undefined;
  if (text.trim() !== "" && !text.includes("\0")) return text;
  const reason = text.includes("\0") ? "has a NUL byte" : "is empty";
  const message = `cannot read ${struct.what}: ${named(field)} ${reason}`;
  struct.problems.add("CONFIG_ACTION", struct.at(field), message);
  return undefined;
}

/** The argv before the script: `bash` is bash -c; cuenv 0.50's struct `{command, flag}` says both. */
function readShell(struct: Struct, field: string): readonly string[] | undefined {
  const raw = struct.raw(field);
  if (raw === undefined) return undefined;
  if (isDataObject(raw)) {
    const inner = struct.struct(field);
    const program = inner?.string("command");
    return program === undefined ? undefined : [program, inner?.string("flag") ?? "-c"];
  }
  const name = struct.string(field);
  if (name === undefined) return undefined;
  if (name.trim() === "" || /[\0\n]/.test(name)) {
    struct.wrongValue(field, `is ${quoted(name)}, which is not a shell`);
    return undefined;
  }
  return Object.hasOwn(interpreters, name) ? interpreters[name] : [name, "-c"];
}

function readShellOptions(struct: Struct, shell: string): readonly string[] {
  const options = struct.struct("shellOptions");
  if (options === undefined) return [];
  options.refuseUnknown(optionNames);
  const name = shell.slice(shell.lastIndexOf("/") + 1);
  if (!optionShells.includes(name)) {
    struct.wrongValue(
      "shellOptions",
      `are for ${optionShells.join(", ")}, not for ${quoted(name)}`,
    );
    return [];
  }
  const flags: string[] = [];
  if (options.boolean("errexit") ?? true) flags.push("-e");
  if (options.boolean("nounset") ?? true) flags.push("-u");
  if (options.boolean("xtrace") ?? false) flags.push("-x");
  const pipefail = options.boolean("pipefail");
  if (name !== "sh") return pipefail === false ? flags : [...flags, "-o", "pipefail"];
  if (pipefail === true) options.wrongValue("pipefail", "is not known to `sh`", "use bash");
  return flags;
}

function readArguments(context: ValueContext, struct: Struct): readonly Argument[] {
  const args: Argument[] = [];
  for (const [index, item] of (struct.list("args") ?? []).entries()) {
    const pointer = pointerTo(struct.at("args"), index);
    const what = `${struct.what}, item ${index} of \`args\``;
    if (typeof item === "string" && !item.includes("\0")) args.push(item);
    else if (typeof item === "number" || typeof item === "boolean") args.push(String(item));
    else if (isOutputReference(item)) {
      const reference = readOutputReference(context, item, pointer, what);
      if (reference !== undefined) args.push(reference);
    } else {
      const found = typeof item === "string" ? "a string with a NUL byte" : kindOf(item);
      const message = `cannot read ${what}: it must be a string, not ${isDataList(item) ? "a list" : found}`;
      struct.problems.add("CONFIG_TYPE", pointer, message);
    }
  }
  return args;
}

/** One word that a shell would do nothing with but execute it. */
function isProgram(command: string): boolean {
  const word = command.trim();
  return /^[A-Za-z0-9_./+-][A-Za-z0-9_./+,:@%-]*$/.test(word) && !shellWords.has(word);
}
