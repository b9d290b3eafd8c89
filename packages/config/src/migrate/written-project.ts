import { findFields } from "./cue-places.ts";
import { type CueSyntax, type FieldNode, parseCue } from "./parse-cue.ts";
import { CueScanFailure } from "./scan-cue.ts";

/** What stands in the text of an env.cue, as far as it can be told. */
export interface WrittenProject {
  readonly name: string | undefined;
  /** The names directly below `tasks`. */
  readonly tasks: readonly string[];
}

/** For who must name a project that cannot be evaluated, and its tasks. A text whose brackets do not match is read by its lines and their indentation. */
export function writtenProject(text: string): WrittenProject {
  try {
    return inSyntax(text, parseCue(text));
  } catch (error) {
    if (error instanceof CueScanFailure) return inLines(text);
    throw error;
  }
}

function inSyntax(text: string, { file }: CueSyntax): WrittenProject {
  const field = file.fields.findLast((each) => each.name === "name");
  const value = field?.value.kind === "other" ? field.value : undefined;
  return {
    name: value === undefined ? undefined : stringIn(text.slice(value.start, value.end)),
    tasks: taskNames(
      findFields(file, new Set(["tasks"])).flatMap((found) => membersOf(found.field)),
    ),
  };
}

function membersOf({ value }: FieldNode): readonly string[] {
  if (value.kind === "field") return value.name === undefined ? [] : [value.name];
  if (value.kind === "other") return [];
  return value.fields.flatMap(({ name }) => name ?? []);
}

/** `name: …`, `"name": …`, with `?` or `!`; what is behind the colon. */
const label = /^(?:([\p{L}_$#][\p{L}\p{Nd}_$#]*)|("(?:[^"\\]|\\.)*"))[?!]?[ \t]*:[ \t]*(.*)$/u;

/** The members of `tasks` are the labels of the lines that are indented as the first one below it. */
function inLines(text: string): WrittenProject {
  const names: string[] = [];
  let name: string | undefined;
  let around: number | undefined;
  let members: number | undefined;
  for (const line of text.split(/\r?\n/)) {
    const content = line.trimStart();
    if (content === "" || content.startsWith("//")) continue;
    const indentation = line.length - content.length;
    if (around !== undefined && indentation > around) {
      members ??= indentation;
      if (indentation === members) names.push(...labelled(content).slice(0, 1));
      continue;
    }
    around = undefined;
    const [found, rest = ""] = labelled(content);
    if (found === "name" && indentation === 0) name = stringIn(rest.trimEnd()) ?? name;
    if (found !== "tasks") continue;
    names.push(...labelled(rest.replace(/^\{\s*/, "")).slice(0, 1));
    around = indentation;
    // Of `tasks: build: {` the lines below are the task's.
    members = /^(?:\{|$)/.test(rest) ? undefined : -1;
  }
  return { name, tasks: taskNames(names) };
}

/** The label that a line begins with, and what is behind it. */
function labelled(content: string): readonly string[] {
  const [, word, quoted, rest = ""] = label.exec(content) ?? [];
  const name = word ?? (quoted === undefined ? undefined : stringIn(quoted));
  return name === undefined ? [] : [name, rest];
}

function taskNames(names: readonly string[]): readonly string[] {
  return [...new Set(names)].filter((name) => !/^[_#]/.test(name));
}

function stringIn(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
