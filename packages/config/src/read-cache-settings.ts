import { nearName } from "@cuenv/errors";
import type { CacheSettings, CacheSettingsInput } from "./cache-settings.ts";
import { readSettingValue } from "./read-setting-value.ts";
import {
  bothSpellings,
  obsoleteSettings,
  remoteStruct,
  type Setting,
  settingFields,
  settingTable,
  spellingsOf,
} from "./setting-table.ts";
import { named, type Struct } from "./struct.ts";

export interface ReadSettingsOptions {
  /**
   * Who wrote them. What a file of the project says of endpoints, tokens and trust is refused: a pull request must not redirect the cache.
   * Default: "project".
   */
  readonly from?: "project" | "user" | undefined;
  /** What becomes of a name that is no setting. Default: "refuse". */
  readonly unknown?: "refuse" | "warn" | undefined;
}

const remoteSpellings: readonly string[] = [...bothSpellings(remoteStruct), "remote"];

/** What a project would say if it could choose whom to trust (docs/decisions/0080-trust-is-not-the-workspaces.md). */
const trustNames: ReadonlySet<string> = new Set([
  "trust",
  "trustFile",
  "trust_file",
  "trustMode",
  "trust_mode",
  "trustedKeys",
  "trusted_keys",
  "signingKey",
  "signing_key",
]);

interface Level {
  readonly fields: readonly (keyof CacheSettings)[];
  /** Ours, for hints. */
  readonly names: readonly string[];
  readonly accepted: ReadonlySet<string>;
}

function levelOf(depth: number, others: readonly string[]): Level {
  const fields = settingFields.filter((field) => settingTable[field].path.length === depth);
  const accepted = fields.flatMap((field) => spellingsOf(settingTable[field]));
  const names = fields.map((field) => settingTable[field].path.at(-1) ?? "");
  return { fields, names, accepted: new Set([...accepted, ...others]) };
}

const top = levelOf(1, [...remoteSpellings, ...obsoleteSettings, "$schema"]);
const remoteLevel = levelOf(2, []);

/** The settings that a struct sets; what is wrong with it goes to its `problems`. */
export function readCacheSettings(
  struct: Struct,
  options: ReadSettingsOptions = {},
): CacheSettingsInput {
  const result: Partial<Record<keyof CacheSettings, unknown>> = {};
  readFields(struct, top, options, result);
  for (const name of obsoleteSettings) {
    if (!struct.has(name)) continue;
    const message = `\`${name}\` in ${struct.what} has no effect in this version`;
    struct.problems.warn(`unused ${name}`, struct.at(name), message, "cache", {
      suggestion: "take it out",
    });
  }
  const spelling = struct.spelling(...remoteSpellings);
  if (spelling === "remote" && struct.has(spelling)) {
    const old = `\`remote\` in ${struct.what}`;
    struct.problems.deprecate("remote", struct.at(spelling), old, "write `remoteCache`");
  }
  const remote = struct.struct(spelling, `${struct.what}, ${named(spelling)}`);
  if (remote !== undefined) readFields(remote, remoteLevel, options, result);
  return result as CacheSettingsInput;
}

function readFields(
  struct: Struct,
  level: Level,
  options: ReadSettingsOptions,
  result: Partial<Record<keyof CacheSettings, unknown>>,
): void {
  const { from = "project" } = options;
  for (const field of level.fields) {
    const setting = settingTable[field];
    const spelling = struct.spelling(...spellingsOf(setting));
    if (!struct.has(spelling)) continue;
    if (setting.isUsersOnly === true && from === "project") {
      refuseUsersOnly(
        struct,
        spelling,
        "send the cache elsewhere",
        `set it below \`cache\` in the user's config.json or config.yaml, or by ${setting.variable}`,
      );
      continue;
    }
    warnOfOlderName(struct, setting, spelling);
    const value = readSettingValue(struct, spelling, setting.value);
    if (value !== undefined) result[field] = value;
  }
  judgeOtherFields(struct, level, options);
}

function refuseUsersOnly(struct: Struct, spelling: string, power: string, hint: string): void {
  const reason = `${named(spelling)} is not the project's to set: whoever changes a project's files could ${power}`;
  const message = `cannot read ${struct.what}: ${reason}`;
  struct.problems.add("CONFIG_USERS_ONLY", struct.at(spelling), message, hint);
}

function warnOfOlderName(struct: Struct, { older = [], path }: Setting, spelling: string): void {
  if (!older.includes(spelling)) return;
  const name = path.at(-1) ?? "";
  const old = `\`${spelling}\` in ${struct.what}`;
  struct.problems.deprecate(`older ${spelling}`, struct.at(spelling), old, `write \`${name}\``);
}

function judgeOtherFields(
  struct: Struct,
  { names, accepted }: Level,
  { from = "project", unknown = "refuse" }: ReadSettingsOptions,
): void {
  for (const field of Object.keys(struct.data)) {
    if (accepted.has(field) || field.startsWith("_") || !struct.has(field)) continue;
    if (from === "project" && trustNames.has(field)) {
      const hint =
        "whom to trust is said below `trust` in the user's config.json, or by CUENV_TRUST and CUENV_TRUST_FILE";
      refuseUsersOnly(struct, field, "choose whose results are used", hint);
      continue;
    }
    const near = nearName(field, [...accepted]);
    const hint =
      near === undefined ? `the settings are ${names.join(", ")}` : `did you mean \`${near}\`?`;
    const reason = `${named(field)} is not a setting`;
    if (unknown === "refuse")
      struct.problems.add(
        "CONFIG_UNKNOWN_FIELD",
        struct.at(field),
        `cannot read ${struct.what}: ${reason}`,
        hint,
      );
    else {
      const message = `${named(field)} in ${struct.what} is not a setting and has no effect: ${hint}`;
      const at = struct.at(field);
      const more = { suggestion: hint, kind: "unknown" } as const;
      struct.problems.warn(`unknown ${at}`, at, message, "cache", more);
    }
  }
}
