import type { Draft, DraftTask, FieldValue } from "./draft.ts";

/** Lists longer than this are one element a line. */
const lineWidth = 80;
const plainLabel = /^[a-zA-Z][a-zA-Z0-9_]*$/;
/** Words that begin something else where a field may stand. */
const keywords: ReadonlySet<string> = new Set([
  "package",
  "import",
  "for",
  "in",
  "if",
  "let",
  "func",
  "try",
  "else",
  "otherwise",
  "fallback",
  "true",
  "false",
  "null",
]);

/**
 * A string of CUE. What JSON escapes CUE reads alike, and a backslash is always doubled, so that `\\(` begins no interpolation. Half of a
 * surrogate pair is no character in CUE.
 */
export function cueString(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll(
    // Control characters, line separators and byte order marks: what an editor would not show.
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Quoted where it would be a keyword, hidden, a definition, or no identifier. */
export function cueLabel(name: string): string {
  return plainLabel.test(name) && !keywords.has(name) ? name : cueString(name);
}

/** A comment line for each line of the text; nothing in it can end the comment, and CUE allows no NUL in a file. */
function comment(text: string, indent: string): string[] {
  const shown = text.toWellFormed().replaceAll(/[\0\ufeff]/g, "\ufffd");
  return shown.split(/[\r\n\u0085\u2028\u2029]+/).map((line) => `${indent}// ${line}`.trimEnd());
}

/** The whole of an env.cue. */
export function cueFile(draft: Draft): string {
  const general = draft.notes.filter(({ task }) => task === undefined);
  const lines = [
    ...comment(
      `Made by cuenv init from ${draft.sources.join(", ")}. It is yours now: change it as you like.`,
      "",
    ),
    ...general.flatMap(({ message }) => comment(`- ${message}.`, "")),
    "package cuenv",
    "",
  ];
  const isShared = draft.shared.length > 0 && draft.tasks.some(({ usesShared }) => usesShared);
  if (Object.keys(draft.cache).length > 0 && draft.tasks.some(isCached)) {
    lines.push("config: cache: {", ...fields(draft.cache, "\t"), "}", "");
  }
  if (isShared) {
    lines.push("// What a result depends on besides the package's own files.");
    lines.push(`let shared = ${value(draft.shared, "")}`, "");
  }
  const tasks = draft.tasks.flatMap((task, index) => [
    ...(index === 0 ? [] : [""]),
    ...taskLines(draft, task, isShared),
  ]);
  lines.push(...(tasks.length === 0 ? ["tasks: {}"] : ["tasks: {", ...tasks, "}"]));
  return `${lines.join("\n")}\n`;
}

function isCached({ fields: { cache } }: DraftTask): boolean {
  return cache === true;
}

function taskLines(draft: Draft, task: DraftTask, isShared: boolean): string[] {
  const notes = draft.notes.filter((note) => note.task === task.name);
  const own = task.fields["cacheConfig"];
  const lines = fields(task.fields, "\t\t");
  const extra = isShared && task.usesShared;
  // One struct may be written in parts.
  if (extra) lines.push(`\t\tcacheConfig: extraInputs: shared`);
  const single = lines.length === 1 && own === undefined ? lines[0]?.trim() : undefined;
  const label = cueLabel(task.name);
  return [
    ...notes.flatMap(({ message }) => comment(message, "\t")),
    ...(single === undefined ? [`\t${label}: {`, ...lines, "\t}"] : [`\t${label}: ${single}`]),
  ];
}

function fields(struct: Readonly<Record<string, FieldValue>>, indent: string): string[] {
  return Object.entries(struct).map(
    ([name, each]) => `${indent}${cueLabel(name)}: ${value(each, indent)}`,
  );
}

function value(given: FieldValue, indent: string): string {
  if (typeof given === "string") return cueString(given);
  if (typeof given !== "object") return String(given);
  if (Array.isArray(given)) {
    const list = given as readonly FieldValue[];
    const inner = list.map((each) => value(each, `${indent}\t`));
    const short = `[${inner.join(", ")}]`;
    if (short.length <= lineWidth || list.length === 0) return short;
    return `[\n${inner.map((each) => `${indent}\t${each},\n`).join("")}${indent}]`;
  }
  const struct = given as Readonly<Record<string, FieldValue>>;
  const entries = Object.entries(struct);
  if (entries.length === 0) return "{}";
  const short = `{${entries.map(([name, each]) => `${cueLabel(name)}: ${value(each, indent)}`).join(", ")}}`;
  if (!short.includes("\n") && short.length <= lineWidth) return short;
  return `{\n${fields(struct, `${indent}\t`).join("\n")}\n${indent}}`;
}
