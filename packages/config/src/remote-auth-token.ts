import { CuenvError } from "@cuenv/errors";
import type { CacheSettings } from "./cache-settings.ts";

/**
 * The token for the remote cache with `${VARIABLE}` filled in; undefined when there is none. Ask for it where it is sent, and keep it
 * nowhere else: no message, log or key may have it.
 * @throws {CuenvError} CONFIG_VALUE when a variable in it is not set, or its value is nothing that can be sent
 */
export function remoteAuthToken(
  settings: Pick<CacheSettings, "remoteAuthToken">,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const written = settings.remoteAuthToken;
  if (written === undefined) return undefined;
  const token = written.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
    const value = environment[name] ?? "";
    if (value !== "") return value;
    throw tokenError(`the variable ${name} in it is not set`);
  });
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw tokenError("it has characters that no token has");
}

function tokenError(reason: string): CuenvError {
  return new CuenvError("CONFIG_VALUE", `cannot use \`remoteCache.authToken\`: ${reason}`, {
    hint: "set the variable, or take the token out",
    field: "remoteCache.authToken",
  });
}
