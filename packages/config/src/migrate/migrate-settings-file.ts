import { isMap, isPair, isScalar, parseDocument } from "yaml";
import { olderSettingNames, relabelled } from "./migrate-settings.ts";
import type { Migration } from "./migration.ts";
import { parseCue, type StructNode } from "./parse-cue.ts";
import { hasOwnLines, removal } from "./text-edit.ts";

export interface SettingsFileMigrationOptions {
  readonly text: string;
  readonly format: "json" | "yaml";
  /** The user's file has the settings below `cache`. */
  readonly from: "project" | "user";
}

/** A field of the settings struct in the text. */
interface Entry {
  readonly name: string;
  readonly labelStart: number;
  readonly labelEnd: number;
  readonly end: number;
}

/**
 * The edits that take older names out of a settings file.
 * @throws CueScanFailure for JSON that is none
 */
export function migrateSettingsFile(options: SettingsFileMigrationOptions): Migration {
  const { text, format } = options;
  const entries = format === "json" ? jsonEntries(options) : yamlEntries(options);
  const mark = format === "json" ? "//" : "#";
  const known = entries.filter(({ name }) => olderSettingNames.has(name));
  const plans = known.map((entry) => {
    const replacement = olderSettingNames.get(entry.name);
    if (replacement !== undefined) {
      const label = relabelled(text.slice(entry.labelStart, entry.labelEnd), replacement);
      return {
        entry,
        replacement,
        edit: { start: entry.labelStart, end: entry.labelEnd, text: label },
      };
    }
    const isOwn = hasOwnLines(text, entry.labelStart, entry.end, mark);
    const edit =
      format === "json" || isOwn ? removal(text, entry.labelStart, entry.end, mark) : undefined;
    return { entry, replacement: "nothing: it has no effect", edit };
  });
  return {
    edits: plans.flatMap(({ edit }) => edit ?? []),
    migrated: plans.flatMap(({ entry, replacement, edit }) =>
      edit === undefined ? [] : [{ offset: entry.labelStart, form: entry.name, replacement }],
    ),
    left: plans.flatMap(({ entry, edit }) =>
      edit === undefined
        ? [{ offset: entry.labelStart, form: entry.name, reason: "it is not on a line of its own" }]
        : [],
    ),
  };
}

/** JSON is CUE. */
function jsonEntries({ text, from }: SettingsFileMigrationOptions): readonly Entry[] {
  const { file } = parseCue(text);
  const top = file.embedded[0];
  const find = (struct: StructNode | undefined): StructNode | undefined => {
    const value = struct?.fields.find(({ name }) => name === "cache")?.value;
    return value?.kind === "struct" ? value : undefined;
  };
  const settings = from === "user" ? find(top) : top;
  return (settings?.fields ?? []).flatMap(({ name, labelStart, labelEnd, end }) =>
    name === undefined ? [] : [{ name, labelStart, labelEnd, end }],
  );
}

function yamlEntries({ text, from }: SettingsFileMigrationOptions): readonly Entry[] {
  const { contents } = parseDocument(text);
  const settings = from === "user" && isMap(contents) ? contents.get("cache") : contents;
  if (!isMap(settings)) return [];
  return settings.items.flatMap((pair) => {
    if (!isPair(pair) || !isScalar(pair.key) || !pair.key.range) return [];
    const { key, value } = pair;
    const [labelStart, labelEnd] = key.range ?? [0, 0];
    const range = (value as { readonly range?: readonly number[] } | null)?.range;
    return [
      {
        name: String(key.value),
        labelStart,
        labelEnd,
        end: trimmedEnd(text, range?.[1] ?? labelEnd + 1),
      },
    ];
  });
}

/** The range of a block collection ends where the next thing begins. */
function trimmedEnd(text: string, end: number): number {
  return text.slice(0, end).trimEnd().length;
}
