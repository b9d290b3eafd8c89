import {
  type CacheSettings,
  type CacheSettingsInput,
  listSettingValues,
  settingFields,
  settingName,
  settingTable,
  type SettingsFile,
  type SettingValue,
  spellingsOf,
  taskOverrides,
} from "@cuenv/config";
import type { CommandTask } from "@cuenv/config";
import type { Location } from "@cuenv/errors";
import { type Configuration, cueLocation } from "./read-configuration.ts";
import { writtenValue } from "./format-setting.ts";

export interface SourceOfValue {
  readonly source: SettingValue["source"] | "task";
  /** As a file would have it; a token is masked. */
  readonly value: unknown;
  /** The variable or the flag; a file's is its place. */
  readonly origin?: string;
  readonly location?: Location;
}

/** A setting with every source that gives it, the strongest first, the default last. */
export interface SettingRow {
  readonly field: keyof CacheSettings;
  readonly name: string;
  /** In bytes, milliseconds or as it is: what `value` comes to. */
  readonly effective: unknown;
  readonly sources: readonly [SourceOfValue, ...SourceOfValue[]];
}

export interface RowsOptions {
  readonly flags: CacheSettingsInput;
  /** The strongest but flags and variables, for the settings that a task may have. */
  readonly task?: CommandTask | undefined;
}

export function settingRows(
  configuration: Configuration,
  { flags, task }: RowsOptions,
): readonly SettingRow[] {
  const { project, files, projectDirectory } = configuration;
  const values = listSettingValues({
    flags,
    environment: process.env,
    project: project?.cache ?? {},
    files,
    projectDirectory: projectDirectory ?? process.cwd(),
  });
  return settingFields.map((field) => {
    const given = values[field].map((value) => located(configuration, field, value));
    const ofTask = task === undefined ? undefined : taskValue(configuration, field, task);
    const weaker = given.findIndex(({ source }) => source !== "flag" && source !== "environment");
    const sources = ofTask === undefined ? given : given.toSpliced(weaker, 0, ofTask.source);
    return {
      field,
      name: settingName(field),
      effective: ofTask !== undefined && weaker === 0 ? ofTask.value : values[field][0]?.value,
      sources: sources as [SourceOfValue, ...SourceOfValue[]],
    };
  });
}

function located(
  configuration: Configuration,
  field: keyof CacheSettings,
  { source, value, origin }: SettingValue,
): SourceOfValue {
  const written = writtenValue(field, value);
  if (source === "flag") return { source, value: written, origin: "--cache" };
  const file = configuration.files.find(({ path }) => path === origin);
  const location =
    file !== undefined
      ? fileLocation(file, field)
      : source === "project"
        ? cueLocation(configuration, [
            ...pointersOf(field, "/config/cache"),
            ...olderPointers(field),
          ])
        : undefined;
  if (location !== undefined) return { source, value: written, location };
  return origin === undefined ? { source, value: written } : { source, value: written, origin };
}

function fileLocation(
  { path, positions, pointer = "" }: SettingsFile,
  field: keyof CacheSettings,
): Location {
  const all = positions?.() ?? {};
  const found = pointersOf(field, pointer).find((candidate) => Object.hasOwn(all, candidate));
  return (found === undefined ? undefined : all[found]) ?? { file: path };
}

/** All pointers that may give a setting, by its spellings. */
function pointersOf(field: keyof CacheSettings, base: string): readonly string[] {
  const setting = settingTable[field];
  const folders =
    setting.path.length === 1
      ? [base]
      : ["remoteCache", "remote_cache", "remote"].map((name) => `${base}/${name}`);
  return folders.flatMap((folder) => spellingsOf(setting).map((name) => `${folder}/${name}`));
}

/** cuenv 0.6 had these beside `config.cache`. */
function olderPointers(field: keyof CacheSettings): readonly string[] {
  if (field === "defaultMode") return ["/config/cacheMode"];
  return field === "enabled" ? ["/config/cacheEnabled"] : [];
}

function taskValue(
  configuration: Configuration,
  field: keyof CacheSettings,
  task: CommandTask,
): { readonly source: SourceOfValue; readonly value: unknown } | undefined {
  const name = taskOverrides.find((candidate) => candidate === field);
  const value = name === undefined ? undefined : task.cache[name];
  if (value === undefined) return undefined;
  const origin = `task ${task.name}`;
  const { location } = task;
  const source = { source: "task", value: writtenValue(field, value), origin } as const;
  return { source: location === undefined ? source : { ...source, location }, value };
}
