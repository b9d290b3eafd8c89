import { CuenvError } from "@cuenv/errors";

const trueWords: ReadonlySet<string> = new Set(["true", "1", "yes", "on"]);
const falseWords: ReadonlySet<string> = new Set(["false", "0", "no", "off"]);

/** What a word says; undefined for any other. */
export function truthOf(word: string): boolean | undefined {
  const wanted = word.trim().toLowerCase();
  if (trueWords.has(wanted)) return true;
  return falseWords.has(wanted) ? false : undefined;
}

/** Variables that are no settings: they ask a run to say more of itself. */
export interface EnvironmentSwitches {
  /** `CUENV_CACHE_DEBUG`: as `--verbose`. */
  readonly debug: boolean;
  /** `CUENV_CACHE_STATS`: the statistics of the cache follow a run. */
  readonly stats: boolean;
  /** `CUENV_CACHE_PROFILE`: as `--trace`; the file. */
  readonly traceFile: string | undefined;
}

/** @throws {CuenvError} CONFIG_VALUE */
export function readEnvironmentSwitches(
  environment: Readonly<Record<string, string | undefined>>,
): EnvironmentSwitches {
  const profile = environment["CUENV_CACHE_PROFILE"] ?? "";
  const isProfiled = profile === "" ? false : (truthOf(profile) ?? profile);
  return {
    debug: switchOf(environment, "CUENV_CACHE_DEBUG"),
    stats: switchOf(environment, "CUENV_CACHE_STATS"),
    traceFile:
      typeof isProfiled === "string" ? isProfiled : isProfiled ? "cuenv-trace.json" : undefined,
  };
}

function switchOf(
  environment: Readonly<Record<string, string | undefined>>,
  name: string,
): boolean {
  const text = environment[name] ?? "";
  const truth = text === "" ? false : truthOf(text);
  if (truth !== undefined) return truth;
  const reason = `it must be true or false (or 1, 0, yes, no, on, off), not ${JSON.stringify(text.slice(0, 60))}`;
  throw new CuenvError("CONFIG_VALUE", `cannot read the variable ${name}: ${reason}`, {
    field: name,
  });
}
