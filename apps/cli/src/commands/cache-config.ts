import {
  type CacheSettings,
  type CacheSettingsInput,
  type CommandTask,
  homeOf,
  parseCacheMode,
  type Project,
  settingTable,
} from "@cuenv/config";
import { CuenvError, nearName } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { flagText } from "../command-line/given.ts";
import { valueText } from "../configuration/format-setting.ts";
import { printWarnings } from "../configuration/print-warnings.ts";
import { readConfiguration, throwIfWrong } from "../configuration/read-configuration.ts";
import { type SettingRow, settingRows, type SourceOfValue } from "../configuration/setting-rows.ts";
import { taskRows, taskState } from "../configuration/task-rows.ts";
import { formatLocation } from "../report/report-error.ts";
import { painterOf, printOut } from "../report/terminal.ts";
import { visibleText } from "../report/visible-text.ts";

/** `cuenv cache config [TASK]`: each effective setting and where it comes from. */
export async function runCacheConfig(invocation: Invocation): Promise<number> {
  const schema = flagText(invocation, "schema");
  if (schema !== undefined) return printSchema(schema);
  const [taskName, more] = invocation.names;
  if (more !== undefined) {
    const reason = `it is of one task at most, and ${JSON.stringify(more)} is one too many`;
    throw new CuenvError("USAGE", `cannot show the configuration: ${reason}`);
  }
  const mode = flagText(invocation, "cache");
  const flags: CacheSettingsInput =
    mode === undefined ? {} : { defaultMode: parseCacheMode(mode, "--cache") };
  const configuration = await readConfiguration(invocation);
  throwIfWrong(configuration);
  const task =
    taskName === undefined ? undefined : commandTask(configuration.project?.tasks ?? {}, taskName);
  const rows = settingRows(configuration, { flags, task });
  if (invocation.flags["json"] === true) {
    const withAll = invocation.flags["show-resolution"] === true;
    printOut(`${JSON.stringify(configDocument(rows, task, withAll))}\n`);
    return 0;
  }
  printWarnings(configuration.warnings);
  const lines =
    invocation.flags["show-resolution"] === true ? resolutionLines(rows) : tableLines(rows);
  printOut(`${[...lines, ...(task === undefined ? [] : taskLines(rows, task))].join("\n")}\n`);
  return 0;
}

async function printSchema(which: string): Promise<number> {
  const { projectSettingsSchema, userSettingsSchema } = await import("@cuenv/config/schema");
  if (which !== "project" && which !== "user") {
    const reason = `there is one for project files and one for user files, and none for ${JSON.stringify(which)}`;
    throw new CuenvError("USAGE", `cannot print the JSON Schema: ${reason}`, {
      hint: "write --schema project or --schema user",
    });
  }
  const schema = which === "project" ? projectSettingsSchema() : userSettingsSchema();
  printOut(`${JSON.stringify(schema, undefined, 2)}\n`);
  return 0;
}

/** @throws {CuenvError} RUN_TASK_NOT_FOUND, USAGE */
function commandTask(tasks: Project["tasks"], name: string): CommandTask {
  const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  if (task?.kind === "command") return task;
  if (task !== undefined) {
    const reason = `it is a ${task.kind}, whose members are ${task.members.join(", ")}`;
    throw new CuenvError("USAGE", `cannot show the configuration of ${name}: ${reason}`);
  }
  const near = nearName(name, Object.keys(tasks));
  const message = `cannot show the configuration of ${JSON.stringify(name)}: there is no such task`;
  throw new CuenvError("RUN_TASK_NOT_FOUND", message, {
    hint: near === undefined ? "cuenv task lists the tasks" : `did you mean ${near}?`,
  });
}

/** `version` beside one field for each setting: `{value, source}` and where that is. */
function configDocument(
  rows: readonly SettingRow[],
  task: CommandTask | undefined,
  withAll: boolean,
): Record<string, unknown> {
  const result: Record<string, unknown> = { version: 1 };
  for (const { name, field, effective, sources } of rows) {
    const [first] = sources;
    const amount = amountOf(field, effective);
    const resolution = withAll ? { resolution: sources.map(sourceDocument) } : {};
    result[name] = { ...sourceDocument(first), ...amount, ...resolution };
  }
  if (task === undefined) return result;
  const { mode, reason } = taskState(runSettings(rows), task);
  const fields = taskRows(task).map(({ name, value, source }) => [name, { value, source }]);
  const settings = Object.fromEntries(fields);
  return { ...result, task: { name: task.name, mode, reason, settings } };
}

function sourceDocument({ value, source, origin, location }: SourceOfValue): object {
  return { value, source, ...(origin === undefined ? {} : { origin }), ...location };
}

/** What a size or an age comes to, for scripts. */
function amountOf(field: keyof CacheSettings, effective: unknown): object {
  const { kind } = settingTable[field].value;
  if (kind === "size") return { bytes: effective };
  return kind === "age" ? { ms: effective ?? null } : {};
}

function runSettings(rows: readonly SettingRow[]): Pick<CacheSettings, "enabled" | "defaultMode"> {
  const values = Object.fromEntries(rows.map(({ field, effective }) => [field, effective]));
  return values as unknown as CacheSettings;
}

const widestValue = 24;

function tableLines(rows: readonly SettingRow[]): readonly string[] {
  const paint = painterOf(1);
  const texts = rows.map(({ sources: [first] }) => shortText(first));
  const names = Math.max(...rows.map(({ name }) => name.length));
  const values = Math.min(widestValue, Math.max(...texts.map((text) => text.length)));
  return rows.map(({ name, sources: [first] }, index) => {
    const source = sourceText(first);
    const shown = first.source === "default" ? paint("dim", source) : source;
    return `${name.padEnd(names)}  ${(texts[index] ?? "").padEnd(values)}  ${shown}`;
  });
}

/** The strongest source of a setting stands first: it is the one that holds. */
function resolutionLines(rows: readonly SettingRow[]): readonly string[] {
  const paint = painterOf(1);
  const names = Math.max(...rows.map(({ name }) => name.length));
  return rows.flatMap(({ name, sources }) =>
    sources.map((source, index) => {
      const label = index === 0 ? name : "";
      const line = `${label.padEnd(names)}  ${shortText(source).padEnd(widestValue)}  ${sourceText(source)}`;
      return index === 0 ? line : paint("dim", line);
    }),
  );
}

function taskLines(rows: readonly SettingRow[], task: CommandTask): readonly string[] {
  const { mode, reason } = taskState(runSettings(rows), task);
  const own = taskRows(task).filter(({ source }) => source === "task");
  const width = Math.max(0, ...own.map(({ name }) => name.length));
  const state = reason === null ? `cached (${mode})` : `not cached: ${reason}`;
  return [
    "",
    `Task ${task.name}: ${state}`,
    ...own.map(({ name, value }) => `  ${name.padEnd(width)}  ${visibleText(valueText(value))}`),
  ];
}

/** The home folder as `~`. */
function shortText({ value }: SourceOfValue): string {
  const text = visibleText(valueText(value));
  const home = homeOf(process.env);
  return home !== "/" && text.startsWith(`${home}/`) ? `~${text.slice(home.length)}` : text;
}

function sourceText({ source, origin, location }: SourceOfValue): string {
  const place = location === undefined ? origin : formatLocation(location);
  if (place === undefined) return source;
  return source === "task" ? `${origin ?? source}, ${place}` : `${source}, ${place}`;
}
