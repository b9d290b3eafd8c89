import { isAbsolute, join, resolve } from "node:path";
import { assertUnlocked } from "./locked-settings.ts";
import {
  readTrustSettings,
  type TrustMode,
  type TrustSettingsInput,
} from "./read-trust-settings.ts";
import { homeOf } from "./resolve-cache-settings.ts";
import { userConfigDirectory } from "./settings-files.ts";

/** Never from a workspace: whoever wrote that would say whose results to use (docs/decisions/0080-trust-is-not-the-workspaces.md). */
export interface TrustSettings {
  readonly mode: TrustMode;
  /** Absolute; it need not be there. */
  readonly trustFile: string;
  /** Absolute: where this machine's key lies. */
  readonly stateDirectory: string;
}

export interface ResolveTrustOptions {
  /** For `CUENV_TRUST`, `CUENV_TRUST_FILE`, `$XDG_CONFIG_HOME`, `$XDG_STATE_HOME` and `$HOME`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `LoadedSettings.trust`. */
  readonly user?: TrustSettingsInput;
}

/**
 * Variables before the user's file before the defaults: `local`, `~/.config/cuenv/trusted-keys`, `~/.local/state/cuenv`.
 * @throws {CuenvError} CONFIG_VALUE, CONFIG_LOCKED
 */
export function resolveTrustSettings({
  environment,
  user = {},
}: ResolveTrustOptions): TrustSettings {
  assertUnlocked(user, { environment });
  const { CUENV_TRUST: mode = "", CUENV_TRUST_FILE: file = "" } = environment;
  const home = homeOf(environment);
  const variable = mode === "" ? {} : readTrustSettings({ mode }, "the variable CUENV_TRUST");
  const path = file === "" ? user.file : file;
  const configDirectory = userConfigDirectory(environment);
  return {
    mode: variable.mode ?? user.mode ?? "local",
    trustFile:
      path === undefined
        ? join(configDirectory, "trusted-keys")
        : absolute(path, file === "" ? configDirectory : process.cwd(), home),
    stateDirectory: stateDirectory(environment, home),
  };
}

function absolute(path: string, directory: string, home: string): string {
  return path.startsWith("~/") ? join(home, path.slice(2)) : resolve(directory, path);
}

function stateDirectory(environment: ResolveTrustOptions["environment"], home: string): string {
  const base = environment["XDG_STATE_HOME"];
  // The XDG specification: a relative path there is invalid and to be ignored.
  if (base !== undefined && isAbsolute(base)) return join(base, "cuenv");
  return join(home, ".local", "state", "cuenv");
}
