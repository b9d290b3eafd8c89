import { type Data, isDataObject, ownField } from "../evaluated-package.ts";
import { obsoleteSettings, remoteStruct, settingFields, settingTable } from "../setting-table.ts";
import { type Occurrence, ownersOf, valueAt } from "./cue-places.ts";
import { type CueFile, removeField } from "./cue-file.ts";
import type { MigratedForm, Migration } from "./migration.ts";
import type { TextEdit } from "./text-edit.ts";

/** Older names of settings, and ours; undefined: it has no effect, and goes. */
export const olderSettingNames: ReadonlyMap<string, string | undefined> = new Map([
  ...settingFields.flatMap((field) => {
    const { older = [], path } = settingTable[field];
    return older.map((name) => [name, path.at(-1)] as const);
  }),
  ["remote", remoteStruct],
  ...obsoleteSettings.map((name) => [name, undefined] as const),
]);

/** cuenv 0.6's, beside `config.cache`. */
const besideCache: Readonly<Record<string, string>> = {
  cacheMode: "defaultMode",
  cacheEnabled: "enabled",
};

/** Names whose occurrences `migrateSettings` wants to see. */
export const settingNames: ReadonlySet<string> = new Set([
  ...olderSettingNames.keys(),
  ...Object.keys(besideCache),
]);

/** Older names below `config.cache`, and `config.cacheMode` and `cacheEnabled`. */
export function migrateSettings(file: CueFile, occurrences: readonly Occurrence[]): Migration {
  const edits: TextEdit[] = [];
  const migrated: MigratedForm[] = [];
  for (const occurrence of occurrences) {
    const { field } = occurrence;
    const name = field.name ?? "";
    const [pointer] = ownersOf(occurrence, /^\/config\/(?:cache\/)?[^/]+/, file.written);
    const inside = pointer === `/config/cache/${name}`;
    if (!inside && pointer !== `/config/${name}`) continue;
    const replacement = inside ? olderSettingNames.get(name) : besideName(file.value, name);
    if (!inside && !Object.hasOwn(besideCache, name)) continue;
    const offset = field.labelStart;
    const form = inside ? `config.cache.${name}` : `config.${name}`;
    if (replacement === undefined) {
      edits.push(removeField(file, occurrence));
      migrated.push({ offset, form, replacement: "nothing: it has no effect" });
    } else {
      const label = file.text.slice(offset, field.labelEnd);
      edits.push({ start: offset, end: field.labelEnd, text: relabelled(label, replacement) });
      migrated.push({
        offset,
        form,
        replacement: `config.cache.${replacement.replace("cache: ", "")}`,
      });
    }
  }
  return { edits, migrated, left: [] };
}

/** A label in quotes stays in quotes. */
export function relabelled(label: string, name: string): string {
  return label.startsWith('"') && !name.includes(":") ? JSON.stringify(name) : name;
}

/** Undefined where `config.cache` says it, which wins. */
function besideName(value: Data, name: string): string | undefined {
  const setting = besideCache[name];
  if (setting === undefined) return undefined;
  const cache = valueAt(value, "/config/cache");
  const stronger = setting === "defaultMode" ? ["defaultMode", "default_mode", "mode"] : [setting];
  const isSaid =
    isDataObject(cache) && stronger.some((each) => ownField(cache, each) !== undefined);
  return isSaid ? undefined : `cache: ${setting}`;
}
