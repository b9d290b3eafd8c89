import { compareUtf8 } from "@cuenv/digest";
import { createHmac } from "node:crypto";
import { loaderVariables, passThroughVariables } from "./environment-lists.ts";
import type { KeyVariable } from "./key-inputs.ts";
import { compileNames } from "./name-matcher.ts";

export interface EnvironmentFilter {
  /** The variables of the process that runs cuenv. A frozen copy is looked through once for all tasks. */
  readonly host: Readonly<Record<string, string | undefined>>;
  /** Values that stand in the key for those of `host`: what a task sees there has paths of this checkout in it. */
  readonly keyed?: Readonly<Record<string, string>> | undefined;
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
  /** What the task's process sees. */
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
 *
 * @throws {TypeError} when there are secrets and no salt
 */
export function filterEnvironmentVariables(filter: EnvironmentFilter): FilteredEnvironment {
  const { declared, keyed = {} } = filter;
  const host = hostVariables(filter.host, filter.mode ?? "strict");
  const excluded = compileNames(filter.exclude);
  const added: Record<string, string> = Object.create(null);
  const variables: KeyVariable[] = [];
  if (filter.include.length > 0) {
    const included = compileNames(filter.include);
    for (const [name, value] of host.all) {
      if (Object.hasOwn(declared, name) || !included(name) || excluded(name)) continue;
      variables.push({ name, value: Object.hasOwn(keyed, name) ? (keyed[name] ?? "") : value });
      added[name] = value;
    }
  }
  const secrets = new Set(filter.secrets);
  for (const [name, value] of Object.entries(declared)) {
    added[name] = value;
    if (excluded(name)) continue;
    variables.push(
      secrets.has(name) ? { name, hmac: hmacOf(name, value, filter.secretSalt) } : { name, value },
    );
  }
  return {
    visible: { ...host.visible, ...added },
    variables: variables.toSorted((left, right) => compareUtf8(left.name, right.name)),
  };
}

type Variables = readonly (readonly [name: string, value: string])[];

interface HostVariables {
  readonly mode: "strict" | "loose";
  readonly all: Variables;
  /** Those that are visible whatever a task declares. */
  readonly visible: Readonly<Record<string, string>>;
}

/** A run asks for each of its tasks with one environment. Frozen ones only: others may have changed since. */
const remembered = new WeakMap<object, HostVariables>();

function hostVariables(host: EnvironmentFilter["host"], mode: "strict" | "loose"): HostVariables {
  const known = remembered.get(host);
  if (known?.mode === mode) return known;
  const all = Object.entries(host)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .toSorted((left, right) => compareUtf8(left[0], right[0]));
  const visible = Object.fromEntries(
    all.filter(([name]) => !isLoader(name) && (mode === "loose" || passesThrough(name))),
  );
  const found = { mode, all, visible };
  if (Object.isFrozen(host)) remembered.set(host, found);
  return found;
}

function hmacOf(name: string, value: string, salt: string | Uint8Array | undefined): string {
  if (salt === undefined || salt.length === 0) {
    throw new TypeError(`a secret is declared (${name}) and no salt is given`);
  }
  return createHmac("sha256", salt).update(`${name}=${value}`).digest("hex");
}
