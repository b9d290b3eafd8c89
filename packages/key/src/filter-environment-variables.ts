import { compareUtf8 } from "@cuenv/digest";
import { createHmac } from "node:crypto";
import { loaderVariables, passThroughVariables } from "./environment-lists.ts";
import type { KeyVariable } from "./key-inputs.ts";
import { compileNames } from "./name-matcher.ts";

export interface EnvironmentFilter {
  /** The variables of the process that runs cuenv. */
  readonly host: Readonly<Record<string, string | undefined>>;
  /** What CUE sets, resolved: visible always, and in the key unless `exclude` matches. */
  readonly declared: Readonly<Record<string, string>>;
  /** Names in `declared` whose values are secret. */
  readonly secrets?: readonly string[] | undefined;
  /** Globs (`*`, `?`) of host variables that are in the key and visible. */
  readonly include: readonly string[];
  /** Wins over `include`, and takes declared variables out of the key. */
  readonly exclude: readonly string[];
  /** Default "strict". */
  readonly mode?: "strict" | "loose" | undefined;
  /** The repository's salt for secrets; they may not be used without it. */
  readonly secretSalt?: string | Uint8Array | undefined;
}

export interface FilteredEnvironment {
  /** What the task's process sees, sorted by name. */
  readonly visible: Readonly<Record<string, string>>;
  /** What enters the key, sorted by UTF-8 bytes of the name. */
  readonly variables: readonly KeyVariable[];
}

const passesThrough = compileNames(passThroughVariables);
const isLoader = compileNames(loaderVariables);

/**
 * Which variables a task sees, and which of them are in its key.
 *
 * strict: declared ones, those that match `include`, and a fixed list that is visible and not in the key. loose: all,
 * with the same key. A secret enters the key as HMAC-SHA-256(salt, name=value): its hash alone could be guessed.
 * Pure: the same arguments give the same result, whatever the order of names.
 */
export function filterEnvironmentVariables(filter: EnvironmentFilter): FilteredEnvironment {
  const { host, declared } = filter;
  const included = compileNames(filter.include);
  const excluded = compileNames(filter.exclude);
  const secrets = new Set(filter.secrets);
  const visible: [string, string][] = [];
  const variables: KeyVariable[] = [];
  for (const [name, value] of Object.entries(host)) {
    if (value === undefined || Object.hasOwn(declared, name)) continue;
    const inKey = included(name) && !excluded(name);
    if (inKey) variables.push({ name, value });
    if (inKey || isVisible(name, filter.mode)) visible.push([name, value]);
  }
  for (const [name, value] of Object.entries(declared)) {
    visible.push([name, value]);
    if (excluded(name)) continue;
    variables.push(
      secrets.has(name) ? { name, hmac: hmacOf(name, value, filter.secretSalt) } : { name, value },
    );
  }
  return {
    visible: Object.fromEntries(visible.toSorted((left, right) => compareUtf8(left[0], right[0]))),
    variables: variables.toSorted((left, right) => compareUtf8(left.name, right.name)),
  };
}

function isVisible(name: string, mode: "strict" | "loose" | undefined): boolean {
  if (isLoader(name)) return false;
  return mode === "loose" || passesThrough(name);
}

function hmacOf(name: string, value: string, salt: string | Uint8Array | undefined): string {
  if (salt === undefined || salt.length === 0) {
    throw new TypeError(`a secret is declared (${name}) and no salt is given`);
  }
  return createHmac("sha256", salt).update(`${name}=${value}`).digest("hex");
}
