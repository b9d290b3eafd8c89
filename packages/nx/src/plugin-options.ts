import { isObject } from "./json-object.ts";

/** Who keeps a task's result: Nx under its own hash, or cuenv under its key. Never both. */
export type Mode = "nx-native" | "cuenv";

/** `options` of the plugin in nx.json (schema/plugin-options.schema.json). */
export interface PluginOptions {
  /** For every target; default: nx-native. */
  readonly mode?: Mode;
  /** For the targets whose name matches (`*` stands for any characters); the first match counts. */
  readonly modes?: Readonly<Record<string, Mode>>;
  /** Names of tasks that run until they are ended (`dev`, `serve:*`): their targets are continuous, and never cached. */
  readonly continuous?: readonly string[];
  /** Names of tasks that get no target. */
  readonly exclude?: readonly string[];
  /** The environment of env.cue (`-e`) that targets have without a configuration. */
  readonly environment?: string;
  /** The CUE package to evaluate; default: cuenv, env, or the only one. */
  readonly package?: string;
  /** Whether Nx's cache is shared through cuenv's store; default: true. */
  readonly remoteCache?: boolean;
  /**
   * What an env.cue that is wrong does. `isolate` (default): its targets fail and say why, the other projects are as they are. `fail`: Nx
   * shows the error, and runs nothing.
   */
  readonly onError?: "isolate" | "fail";
}

const modes: ReadonlySet<unknown> = new Set(["nx-native", "cuenv"]);

const checks: Readonly<
  Record<keyof PluginOptions, readonly [(value: unknown) => boolean, string]>
> = {
  mode: [(value) => modes.has(value), '"nx-native" or "cuenv"'],
  modes: [
    (value) => isObject(value) && Object.values(value).every((mode) => modes.has(mode)),
    'an object of "nx-native" and "cuenv" by target name',
  ],
  continuous: [isTexts, "a list of task names"],
  exclude: [isTexts, "a list of task names"],
  environment: [isText, "the name of an environment"],
  package: [isText, "the name of a CUE package"],
  remoteCache: [(value) => typeof value === "boolean", "true or false"],
  onError: [(value) => value === "isolate" || value === "fail", '"isolate" or "fail"'],
};

/** @throws {Error} for an option that there is not, or whose value it cannot have */
export function readPluginOptions(given: unknown): PluginOptions {
  if (given === undefined || given === null) return {};
  if (!isObject(given)) throw new Error("cannot read the options of @cuenv/nx: they are no object");
  for (const [name, value] of Object.entries(given)) {
    const check = Object.hasOwn(checks, name) ? checks[name as keyof PluginOptions] : undefined;
    if (check === undefined)
      throw new Error(
        `cannot read the options of @cuenv/nx in nx.json: there is no option ${JSON.stringify(name)}; there are ${Object.keys(checks).join(", ")}`,
      );
    const [isValid, what] = check;
    if (!isValid(value))
      throw new Error(
        `cannot read the options of @cuenv/nx in nx.json: ${name} must be ${what}, not ${JSON.stringify(value)}`,
      );
  }
  return given;
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}
