import { CuenvError } from "@cuenv/errors";
import type { TrustSettingsInput } from "./read-trust-settings.ts";
import type { ResolvedCacheSettings } from "./resolve-cache-settings.ts";

/** Where results come from and go to. */
const lockedSettings = ["cacheDir", "namespace", "remoteEndpoint", "remoteCaCertificate"] as const;
/** Whom to trust. */
const lockedVariables = ["CUENV_TRUST", "CUENV_TRUST_FILE"] as const;
/** Under `local` the key that is signed with is trusted by that. Under the stricter modes the trust file has to have it. */
const keyVariables = ["CUENV_SIGNING_KEY", "CUENV_SIGNING_KEY_FILE"] as const;

/**
 * Holds the promise of `trust.locked` in the user's settings file: a job of CI runs what a pull request wrote, so neither that nor a variable moves it
 * to another cache, another name in it, or other people's keys. Told, not passed over: who set it would take it for done.
 * @throws {CuenvError} CONFIG_LOCKED
 */
export function assertUnlocked(
  user: TrustSettingsInput,
  given: {
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly cache?: Pick<ResolvedCacheSettings, "sources">;
  },
): void {
  if (user.locked !== true) return;
  const isSet = (name: string): boolean => (given.environment[name] ?? "") !== "";
  const variable = lockedVariables.find(isSet);
  if (variable !== undefined) throw locked(`the variable ${variable}`);
  const key = (user.mode ?? "local") === "local" ? keyVariables.find(isSet) : undefined;
  if (key !== undefined)
    throw locked(
      `the variable ${key}`,
      "Its results would be trusted: set mode: required there, and trust the key (cuenv keys trust).",
    );
  for (const field of lockedSettings) {
    const { source, origin } = given.cache?.sources[field] ?? { source: "default" };
    if (source === "user" || source === "default") continue;
    throw locked(source === "environment" ? `the variable ${origin}` : `${field} of ${origin}`);
  }
}

function locked(
  what: string,
  hint = "Unset it, or set it in that file (docs/trust.md).",
): CuenvError {
  return new CuenvError(
    "CONFIG_LOCKED",
    `cannot use ${what}: the user's settings file has locked that`,
    { hint },
  );
}
