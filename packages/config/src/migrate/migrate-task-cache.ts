import { type Data, isDataObject, ownField } from "../evaluated-package.ts";
import { commentsIn, type CueFile, removeField } from "./cue-file.ts";
import { type Occurrence, ownersOf, valueAt } from "./cue-places.ts";
import type { LeftForm, Migration, MigratedForm } from "./migration.ts";
import type { FieldNode, StructNode } from "./parse-cue.ts";
import { deeper, hasOwnLines, indentAt, type TextEdit } from "./text-edit.ts";

interface Addition {
  readonly name: string;
  readonly text: string;
}

/** What one occurrence of `cache: {…}` or `cache_env` is to become. */
interface Rewriting {
  readonly occurrence: Occurrence;
  /** The value of `cache`; undefined for `cache_env`. */
  readonly cache: string | undefined;
  readonly additions: readonly Addition[];
}

const cachePattern = /^\/tasks\/(?:.*?\/)?cache(?=\/|$)/;
const olderPattern = /^\/tasks\/(?:.*?\/)?cache(?:_env|Env)(?=\/|$)/;
const cacheNames = new Set(["enabled", "env", "mode", "maxAge", "max_age"]);
const filterNames = new Set(["include", "exclude", "useSmartDefaults", "use_smart_defaults"]);
const spellings: Readonly<Record<string, readonly string[]>> = {
  envInclude: ["envInclude", "env_include"],
  envExclude: ["envExclude", "env_exclude"],
  maxAge: ["maxAge", "max_age"],
  mode: ["mode"],
};

/** `cache: {…}`, `cache_env` and `cacheEnv` of tasks, as `cache: true` or `false` and `cacheConfig`. */
export function migrateTaskCache(file: CueFile, occurrences: readonly Occurrence[]): Migration {
  const left: LeftForm[] = [];
  const rewritings: Rewriting[] = [];
  for (const occurrence of occurrences) {
    const result = rewrite(file, occurrence);
    if (result === undefined) continue;
    if ("reason" in result) left.push(result);
    else rewritings.push(result);
  }
  const edits: TextEdit[] = [];
  const migrated: MigratedForm[] = [];
  for (const group of groupsOf(rewritings)) {
    edits.push(...editsOf(file, group));
    migrated.push(...group.map((each) => formOf(file, each)));
  }
  return { edits, migrated, left };
}

function formOf({ text }: CueFile, { occurrence, cache, additions }: Rewriting): MigratedForm {
  const { field } = occurrence;
  const config = additions.length === 0 ? [] : [`cacheConfig: ${struct(additions)}`];
  const parts = [...(cache === undefined ? [] : [`cache: ${cache}`]), ...config];
  return {
    offset: field.labelStart,
    form: oneLine(text.slice(field.labelStart, field.end)),
    replacement: parts.length === 0 ? "nothing: it has no effect" : oneLine(parts.join(", ")),
  };
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}

function rewrite(file: CueFile, occurrence: Occurrence): Rewriting | LeftForm | undefined {
  const { field } = occurrence;
  const isCache = field.name === "cache";
  const owners = ownersOf(occurrence, isCache ? cachePattern : olderPattern, file.written);
  const names = isCache ? cacheNames : filterNames;
  const tasks = owners.filter((owner) => isOnly(valueAt(file.value, owner), names));
  if (tasks.length === 0) return undefined;
  const leave = (reason: string): LeftForm => ({
    offset: field.labelStart,
    form: oneLine(file.text.slice(field.labelStart, field.end)),
    reason,
  });
  const fields = fieldsOf(field, names);
  if (fields === undefined) return leave("its value is not written out in this place");
  const values = tasks.map((pointer) => taskAt(file.value, pointer));
  return isCache
    ? rewriteCache(file, occurrence, fields, values, leave)
    : rewriteOlder(file, occurrence, fields, values, leave);
}

interface TaskValues {
  /** The task's `cache`, if it is a struct. */
  readonly cache: Data | undefined;
  readonly config: Data | undefined;
}

function taskAt(value: Data, pointer: string): TaskValues {
  const task = valueAt(value, pointer.slice(0, pointer.lastIndexOf("/")));
  const field = (name: string): Data | undefined =>
    isDataObject(task) ? ownField(task, name) : undefined;
  return { cache: field("cache"), config: field("cacheConfig") ?? field("cache_config") };
}

type Leave = (reason: string) => LeftForm;

function rewriteCache(
  { text }: CueFile,
  occurrence: Occurrence,
  fields: ReadonlyMap<string, FieldNode>,
  tasks: readonly TaskValues[],
  leave: Leave,
): Rewriting | LeftForm {
  const isEnabled = new Set(tasks.map(({ cache }) => enabledBy(cache)));
  const [enabled, other] = isEnabled;
  if (other !== undefined)
    return leave("tasks that share it are not all cached, or not all uncached");
  const written = fields.get("enabled");
  const isNever = tasks.some(({ cache }) => modeOf(cache) === "never");
  const cache = written === undefined || isNever ? String(enabled) : valueText(text, written);
  const env = fields.get("env");
  const filter = env === undefined ? new Map<string, FieldNode>() : fieldsOf(env, filterNames);
  if (filter === undefined) return leave("its `env` is not written out in this place");
  const modes = new Set(tasks.map(({ cache: each }) => modeOf(each)));
  const wanted = [
    ...(modes.has("never") || modes.has("read-write")
      ? []
      : [["mode", fields.get("mode")] as const]),
    ["maxAge", fields.get("maxAge") ?? fields.get("max_age")],
    ["envInclude", filter.get("include")],
    ["envExclude", filter.get("exclude")],
  ] as const;
  const additions = additionsOf(
    text,
    wanted,
    tasks.map(({ config }) => config),
  );
  if (additions === undefined)
    return leave("some of the tasks that share it have `cacheConfig` for the same");
  return { occurrence, cache, additions };
}

function rewriteOlder(
  { text }: CueFile,
  occurrence: Occurrence,
  fields: ReadonlyMap<string, FieldNode>,
  tasks: readonly TaskValues[],
  leave: Leave,
): Rewriting | LeftForm {
  const wanted = [
    ["envInclude", fields.get("include")],
    ["envExclude", fields.get("exclude")],
  ] as const;
  // `cache: env` wins over it, and `cacheConfig` over both.
  const stronger = tasks.map(({ cache, config }) => ({
    ...(isDataObject(config) ? config : {}),
    ...filterAsConfig(cache),
  }));
  const additions = additionsOf(text, wanted, stronger);
  if (additions === undefined)
    return leave("some of the tasks that share it say the same elsewhere");
  return { occurrence, cache: undefined, additions };
}

function filterAsConfig(cache: Data | undefined): Record<string, Data> {
  const env = isDataObject(cache) ? ownField(cache, "env") : undefined;
  if (!isDataObject(env)) return {};
  const { include, exclude } = {
    include: ownField(env, "include"),
    exclude: ownField(env, "exclude"),
  };
  return {
    ...(include === undefined ? {} : { envInclude: include }),
    ...(exclude === undefined ? {} : { envExclude: exclude }),
  };
}

/** Without those that a stronger place says, too; undefined when that is so for some tasks only. */
function additionsOf(
  text: string,
  wanted: readonly (readonly [name: string, field: FieldNode | undefined])[],
  stronger: readonly (Data | undefined)[],
): readonly Addition[] | undefined {
  const additions: Addition[] = [];
  for (const [name, field] of wanted) {
    if (field === undefined) continue;
    const overridden = stronger.filter((config) => says(config, spellings[name] ?? [name])).length;
    if (overridden === stronger.length) continue;
    if (overridden > 0) return undefined;
    additions.push({ name, text: valueText(text, field) });
  }
  return additions;
}

function says(config: Data | undefined, names: readonly string[]): boolean {
  return isDataObject(config) && names.some((name) => ownField(config, name) !== undefined);
}

function modeOf(cache: Data | undefined): string | undefined {
  const mode = isDataObject(cache) ? ownField(cache, "mode") : undefined;
  return typeof mode === "string" ? mode.trim().toLowerCase() : undefined;
}

function enabledBy(cache: Data | undefined): boolean {
  if (modeOf(cache) === "never") return false;
  const enabled = isDataObject(cache) ? ownField(cache, "enabled") : undefined;
  return enabled !== false;
}

function isOnly(value: Data | undefined, names: ReadonlySet<string>): boolean {
  return isDataObject(value) && Object.keys(value).every((name) => names.has(name));
}

/** The fields of a struct that is written out, by name; undefined when the text does not show what they are. */
function fieldsOf(
  field: FieldNode,
  names: ReadonlySet<string>,
): ReadonlyMap<string, FieldNode> | undefined {
  const { value } = field;
  if (value.kind === "other") return undefined;
  const inside = value.kind === "field" ? [value] : value.fields;
  if (value.kind === "struct" && value.embedded.length > 0) return undefined;
  const found = new Map<string, FieldNode>();
  for (const each of inside) {
    // Two declarations of one name are one value to CUE, and two texts here.
    if (each.name === undefined || !names.has(each.name) || found.has(each.name)) return undefined;
    found.set(each.name, each);
  }
  return found;
}

function valueText(text: string, { value }: FieldNode): string {
  if (value.kind === "struct") return text.slice(value.open, value.close + 1);
  if (value.kind === "field") return text.slice(value.labelStart, value.end);
  return text.slice(value.start, value.end);
}

/** Those of one struct together; one behind other labels is alone. */
function groupsOf(rewritings: readonly Rewriting[]): readonly (readonly Rewriting[])[] {
  const groups = new Map<StructNode | Rewriting, Rewriting[]>();
  for (const each of rewritings) {
    const { field, start, struct: holder } = each.occurrence;
    const key = field.labelStart === start ? holder : each;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}

function editsOf(file: CueFile, group: readonly Rewriting[]): readonly TextEdit[] {
  const { text } = file;
  const additions = group.flatMap((each) => each.additions);
  const host = existingConfig(group);
  const edits: TextEdit[] = host === undefined ? [] : [insertion(text, host, additions)];
  // Where `cacheConfig` is written: beside `cache` if that is there.
  const place = group.find(({ cache }) => cache !== undefined) ?? group[0];
  for (const each of group) {
    const { field, start } = each.occurrence;
    const isOwn = hasOwnLines(text, start, field.end, "//");
    const indent = indentAt(text, field.labelStart);
    const prefix = text.slice(start, field.labelStart);
    const config =
      each === place && host === undefined && additions.length > 0
        ? [
            `cacheConfig: ${struct(additions, isOwn ? { indent, inner: deeper(text, indent) } : undefined)}`,
          ]
        : [];
    const declarations = [...(each.cache === undefined ? [] : [`cache: ${each.cache}`]), ...config];
    if (declarations.length === 0) {
      edits.push(removeField(file, each.occurrence));
      continue;
    }
    const kept = additions.map((addition) => addition.text);
    const comments = isOwn ? commentsIn(file, field, kept) : [];
    const separator = isOwn ? `\n${indent}` : ", ";
    const written = declarations.join(`${separator}${prefix}`);
    if (comments.length === 0)
      edits.push({ start: field.labelStart, end: field.end, text: written });
    else {
      const above = comments.map((comment) => `${comment}\n${indent}`).join("");
      edits.push({ start, end: field.end, text: `${above}${prefix}${written}` });
    }
  }
  return edits;
}

/** A `cacheConfig: {…}` beside it that the additions can go into. */
function existingConfig([first]: readonly Rewriting[]): StructNode | undefined {
  if (first === undefined || first.additions.length === 0) return undefined;
  const { field, start, struct: holder } = first.occurrence;
  if (field.labelStart !== start) return undefined;
  const config = holder.fields.find(
    ({ name }) => name === "cacheConfig" || name === "cache_config",
  );
  return config?.value.kind === "struct" ? config.value : undefined;
}

function insertion(
  text: string,
  { open, close, fields }: StructNode,
  additions: readonly Addition[],
): TextEdit {
  const at = open + 1;
  const lines = additions.map(({ name, text: value }) => `${name}: ${value}`);
  const body = text.slice(at, close);
  if (!body.includes("\n")) {
    const more = fields.length === 0 ? body.trim() : `, `;
    return { start: at, end: at, text: `${lines.join(", ")}${more}` };
  }
  const [first] = fields;
  const indent =
    first === undefined ? deeper(text, indentAt(text, open)) : indentAt(text, first.labelStart);
  return { start: at, end: at, text: lines.map((line) => `\n${indent}${line}`).join("") };
}

const widest = 60;

function struct(
  additions: readonly Addition[],
  block?: { readonly indent: string; readonly inner: string },
): string {
  const lines = additions.map(({ name, text }) => `${name}: ${text}`);
  const short = `{${lines.join(", ")}}`;
  if (block === undefined || (short.length <= widest && !short.includes("\n"))) return short;
  return `{\n${lines.map((line) => `${block.inner}${line}\n`).join("")}${block.indent}}`;
}
