import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { CacheSettingsInput } from "./cache-settings.ts";
import { settingVariables } from "./environment-settings.ts";
import { taskFields } from "./normalize/task-fields.ts";
import { settingName } from "./setting-table.ts";
import { resolveCacheSettings } from "./resolve-cache-settings.ts";

function document(name: string): string {
  return readFileSync(new URL(`../../../docs/${name}`, import.meta.url), "utf8");
}

describe("the documents", () => {
  it("name every field of a task", () => {
    const text = document("tasks.md");
    const words = new Set(text.match(/\w+/g));
    expect([...taskFields].filter((field) => !words.has(field))).toEqual([]);
  });

  it("name every setting with its variables", () => {
    const text = document("configuration.md");
    for (const field of Object.keys(settingVariables) as (keyof CacheSettingsInput)[]) {
      expect(text).toContain(`| \`${settingName(field)}\``);
      for (const variable of settingVariables[field]) expect(text).toContain(`\`${variable}\``);
    }
  });

  it("give the defaults that hold", () => {
    const text = document("configuration.md");
    const { settings } = resolveCacheSettings({
      environment: { HOME: "/h" },
      projectDirectory: "/p",
    });
    for (const field of [
      "enabled",
      "defaultMode",
      "evictionPolicy",
      "envMode",
      "keyEpoch",
      "digestFunction",
      "durability",
      "statsRetentionDays",
      "namespace",
    ] as const) {
      const row = text.split("\n").find((line) => line.startsWith(`| \`${settingName(field)}\``));
      expect(row?.split(" | ")[2]).toBe(`\`${String(settings[field])}\``);
    }
  });
});
