import { posix } from "node:path";
import type { TaskDraft } from "./draft.ts";
import {
  fieldOf,
  isObject,
  type Json,
  type JsonObject,
  objectOf,
  textOf,
  textsOf,
} from "./json-file.ts";
import { filledTokens, type NxProject } from "./nx-project.ts";
import { runScript } from "./package-files.ts";

type Action = Pick<TaskDraft, "command" | "directory" | "env" | "isGroup">;

/** Options of nx:run-commands that say how it looks, or that are read here. Others are arguments of the command. */
const knownOptions: ReadonlySet<string> = new Set([
  "args",
  "color",
  "command",
  "commands",
  "cwd",
  "env",
  "envFile",
  "forwardAllArgs",
  "parallel",
  "prefixColor",
  "readyWhen",
  "streamOutput",
  "tty",
  "usePty",
  "verbose",
]);

/** What a target runs. Undefined: nothing, and why was said. */
export function nxCommand(
  project: NxProject,
  {
    name,
    target,
    scripts,
    say,
  }: {
    readonly name: string;
    readonly target: JsonObject;
    readonly scripts: ReadonlyMap<string, string>;
    readonly say: (message: string) => void;
  },
): Action | undefined {
  const options = objectOf(target, "options");
  const shorthand = textOf(target, "command");
  const executor =
    textOf(target, "executor") ?? (shorthand === undefined ? "nx:run-script" : "nx:run-commands");
  if (executor === "nx:noop") return { isGroup: true };
  if (executor === "nx:run-script") {
    const script = textOf(options, "script") ?? name;
    const command = scripts.get(script);
    if (command !== undefined) return { command };
    if (textOf(target, "executor") === undefined) {
      say(
        "left out: it has no command, and package.json no such script; a plugin of Nx may infer it",
      );
      return undefined;
    }
    return { command: runScript(project.files.manager, script) };
  }
  if (executor === "nx:run-commands" || executor === "@nx/workspace:run-commands")
    return runCommands(
      project,
      shorthand === undefined ? options : { command: shorthand, ...options },
      say,
    );
  if (project.name === undefined) {
    say(
      `left out: its executor ${executor} is a program of Nx, and the project has no name to call it by`,
    );
    return undefined;
  }
  say(`its executor ${executor} is a program of Nx, so the task calls nx`);
  // Nx looks for its workspace from the folder upwards.
  return { command: `nx run ${quoted(`${project.name}:${name}`)}` };
}

function runCommands(
  project: NxProject,
  options: JsonObject,
  say: (message: string) => void,
): Action | undefined {
  const lines = commandLines(options);
  if (lines.length === 0) {
    say("left out: it has no command");
    return undefined;
  }
  const text = lines.map((line) => filledTokens(project, line));
  if (text.some((line) => /\{args\./.test(line))) {
    say("left out: its command has {args.…} in it; write it anew with params");
    return undefined;
  }
  if (lines.length > 1 && fieldOf(options, "parallel") !== false)
    say("its commands ran at once; here each waits for the one before");
  const unknown = Object.keys(options).filter((option) => !knownOptions.has(option));
  if (unknown.length > 0)
    say(`options that are arguments are not translated: ${unknown.join(", ")}`);
  if (textOf(options, "envFile") !== undefined) say("envFile is not translated");
  if (text.some((line) => /\$\{?NX_/.test(line))) say("variables NX_… are set by Nx only");
  const suffix = argumentsOf(options);
  const command =
    text.length === 1
      ? `${text[0]}${suffix}`
      : text.map((line) => `(\n${line}${suffix}\n)`).join(" && ");
  return { command, ...directoryOf(project, options), env: variablesOf(options, say) };
}

function commandLines(options: JsonObject): string[] {
  const one = textOf(options, "command");
  if (one !== undefined) return [one];
  // `command` may be a list of words, too.
  const words = textsOf(options, "command");
  if (words !== undefined && words.length > 0) return [words.map(quoted).join(" ")];
  const many = fieldOf(options, "commands");
  return (Array.isArray(many) ? (many as readonly Json[]) : []).flatMap((each) => {
    if (typeof each === "string") return [each];
    return textOf(isObject(each) ? each : {}, "command") ?? [];
  });
}

function argumentsOf(options: JsonObject): string {
  const text = textOf(options, "args") ?? textsOf(options, "args")?.join(" ");
  return text === undefined || text === "" ? "" : ` ${text}`;
}

/** Nx runs commands at its root unless told otherwise. */
function directoryOf(project: NxProject, options: JsonObject): Pick<Action, "directory"> {
  const cwd = filledTokens(project, textOf(options, "cwd") ?? ".");
  const path = posix.normalize(posix.join(project.top, cwd)).replace(/\/$/, "");
  const own = posix.normalize(posix.join(project.top, project.path, "."));
  return path === own || path === own.replace(/\/$/, "") ? {} : { directory: path };
}

function variablesOf(
  options: JsonObject,
  say: (message: string) => void,
): Readonly<Record<string, string>> {
  const written = Object.entries(objectOf(options, "env")).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  const wrong = written.filter(([name]) => !/^[A-Z][A-Z0-9_]*$/.test(name)).map(([name]) => name);
  if (wrong.length > 0)
    say(`variables must be in capitals, these are left out: ${wrong.join(", ")}`);
  return Object.fromEntries(written.filter(([name]) => !wrong.includes(name)));
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
