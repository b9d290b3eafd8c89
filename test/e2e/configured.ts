import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import type { Outcome, RunOptions, Sandbox } from "./sandbox.ts";

export interface Shown {
  readonly value: unknown;
  readonly source: string;
  readonly origin?: string;
  readonly file?: string;
  readonly line?: number;
  readonly resolution?: readonly Shown[];
}
export type Settings = Readonly<Record<string, Shown>>;

export const plainTask = { tasks: { t: { command: "true", inputs: [] } } };
export const noCacheDir = { CUENV_CACHE_DIR: undefined };

/** The document of a command. */
export function json(run: Outcome): unknown {
  expect(run.stdout, run.stderr).toMatch(/^\{"version":1,.*\}\n$/);
  return JSON.parse(run.stdout);
}

/** `cuenv cache config --json`, read. */
export async function settingsOf(
  own: Sandbox,
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Settings> {
  const run = await own.cuenv(["cache", "config", "--json", ...args], options);
  expect(run.code, run.stdout).toBe(0);
  return json(run) as Settings;
}

/** A file of the user's configuration; its path. */
export function writeUser(own: Sandbox, name: string, text: string): string {
  const file = join(own.home, ".config/cuenv", name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}
