import type { CacheSettings } from "./cache-settings.ts";
import { settingDescriptions } from "./setting-descriptions.ts";
import { settingFields, settingTable } from "./setting-table.ts";

export type TemplateFormat = "yaml" | "json" | "cue";

export interface TemplateOptions {
  readonly format: TemplateFormat;
  /** Whose file it is to be: a user's has the settings below `cache`, and the remote cache's address. */
  readonly from: "project" | "user";
  /** The package of `env.cue`, for CUE. */
  readonly packageName?: string;
}

/** A settings file that sets nothing: every setting is in it, out of action, with what it means and an example. */
export function settingsTemplate({ format, from, packageName }: TemplateOptions): string {
  const fields = settingFields.filter(
    (field) => from === "user" || settingTable[field].isUsersOnly !== true,
  );
  switch (format) {
    case "yaml":
      return yamlTemplate(fields, from);
    case "json":
      return jsonTemplate(fields, from);
    case "cue":
      return cueTemplate(fields, packageName ?? "cuenv");
  }
}

const check = "`cuenv cache config` shows what holds, `cuenv cache validate` checks.";

function heading(from: "project" | "user"): string {
  return from === "user"
    ? "Cache settings for all your projects."
    : "Cache settings of this project. They win over the user's own.";
}

function yamlTemplate(fields: readonly (keyof CacheSettings)[], from: "project" | "user"): string {
  const lines = commentedLines(fields, "#");
  const head = [
    `# ${heading(from)}`,
    "# Nothing is set yet: take the # away in front of a name, and change its value.",
    `# ${check}`,
  ];
  if (from === "project") return text([...head, ...lines]);
  return text([...head, "cache:", ...lines.map((line) => (line === "" ? "" : `  ${line}`))]);
}

function cueTemplate(fields: readonly (keyof CacheSettings)[], packageName: string): string {
  const lines = commentedLines(fields, "//", {
    open: " {",
    close: "}",
  });
  return text([
    `package ${packageName}`,
    "",
    `// ${heading("project")}`,
    "// Nothing is set yet: take the // away in front of a name, and change its value.",
    `// ${check}`,
    "config: cache: {",
    ...lines.map((line) => (line === "" ? "" : `\t${line}`)),
    "}",
  ]);
}

/** What is about a setting has a space after the mark, what may be set has none. The remote cache's are in a struct at the end. */
function commentedLines(
  fields: readonly (keyof CacheSettings)[],
  mark: string,
  struct: { readonly open: string; readonly close: string } = { open: "", close: "" },
): readonly string[] {
  const lines: string[] = [];
  let isInside = false;
  for (const field of fields) {
    const { path } = settingTable[field];
    const { text: about, example } = settingDescriptions[field];
    if (path.length === 2 && !isInside) {
      isInside = true;
      lines.push("", `${mark}${path[0]}:${struct.open}`);
    }
    const name = path.at(-1) ?? "";
    if (isInside) lines.push(`${mark}  ${mark} ${about}`, `${mark}  ${name}: ${example}`);
    else lines.push("", `${mark} ${about}`, `${mark}${name}: ${example}`);
  }
  return struct.close === "" ? lines : [...lines, `${mark}${struct.close}`];
}

/** JSON has no comments; names that begin with `_` are none of cuenv's. */
function jsonTemplate(fields: readonly (keyof CacheSettings)[], from: "project" | "user"): string {
  const top: Record<string, unknown> = {
    _: `${heading(from)} Names that begin with _ are comments: take the _ away from one to set it. ${check}`,
  };
  const remote: Record<string, unknown> = {};
  for (const field of fields) {
    const { path } = settingTable[field];
    const { text: about, example } = settingDescriptions[field];
    const name = path.at(-1) ?? "";
    const target = path.length === 2 ? remote : top;
    target[`_about ${name}`] = about;
    target[`_${name}`] = JSON.parse(example);
  }
  const settings = { ...top, remoteCache: remote };
  return `${JSON.stringify(from === "user" ? { cache: settings } : settings, undefined, 2)}\n`;
}

function text(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
