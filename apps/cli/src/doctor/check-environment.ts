import { otherCacheVariables, settingVariables } from "@cuenv/config";
import { nearName } from "@cuenv/errors";
import { type Check, note } from "./check.ts";

/** Those that are no cache settings. */
const others = [
  "CUENV_ENV",
  "CUENV_PACKAGE",
  "CUENV_SECRET_SALT",
  "CUENV_SERVER_TOKEN",
  "CUENV_SIGNING_KEY",
  "CUENV_SIGNING_KEY_FILE",
  "CUENV_STEP_SUMMARY",
  "CUENV_TASK_DEFINITION",
  "CUENV_TRUST",
  "CUENV_TRUST_FILE",
];

/** Variables whose name nobody reads, and that are near one that is read. */
export function checkEnvironment(env: Readonly<Record<string, string | undefined>>): Check[] {
  const known = [...Object.values(settingVariables).flat(), ...otherCacheVariables, ...others];
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith("CUENV_") || known.includes(name)) return [];
    const near = nearName(name, known);
    if (near === undefined) return [];
    return [note("environment", `nothing reads the variable ${name}`, `Did you mean ${near}?`)];
  });
}
