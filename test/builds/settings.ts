import type { Random } from "./random.ts";
import { type Selector, selectors } from "./selectors.ts";

/** What a task says of its key and its cache beside its files and variables; most say nothing. */
export interface Settings {
  /** Stands for all files: it reads none, nor what its dependencies made, and looks for none to fail. */
  readonly cacheKey?: string;
  readonly extra?: Selector;
  readonly component?: number;
  readonly keyEpoch?: number;
  readonly mode?: "off" | "read" | "write" | "read-write";
  /** A moment, which is always over, or long. */
  readonly maxAge?: "1ms" | "1h";
  readonly isLoose?: true;
}

export function randomSettings(
  random: Random,
  { canFail }: { readonly canFail: boolean },
): Settings {
  if (random.percent(60)) return {};
  return {
    ...(!canFail && random.percent(15) ? { cacheKey: random.pick(["k1", "k2"]) } : {}),
    ...(random.percent(30) ? { extra: random.pick(selectors) } : {}),
    ...(random.percent(30) ? { component: random.below(2) } : {}),
    ...(random.percent(30) ? { keyEpoch: random.below(3) } : {}),
    ...(random.percent(30)
      ? { mode: random.pick(["off", "read", "write", "read-write"] as const) }
      : {}),
    ...(random.percent(25) ? { maxAge: random.pick(["1ms", "1h"] as const) } : {}),
    ...(random.percent(15) ? { isLoose: true } : {}),
  };
}

/** As fields of a task and of its `cacheConfig`. */
export function writtenSettings(
  { cacheKey, extra, component, keyEpoch, mode, maxAge, isLoose }: Settings,
  fromProject: (pattern: string) => string,
): { readonly ofTask: object; readonly ofCache: object } {
  return {
    ofTask: { cacheKey },
    ofCache: {
      extraInputs: extra && [fromProject(extra.pattern)],
      customKeyComponents: component === undefined ? undefined : { component },
      keyEpoch,
      mode,
      maxAge,
      envMode: isLoose && "loose",
    },
  };
}

/** What of them is in keys. */
export function settingsInKey({ cacheKey, extra, component, keyEpoch, isLoose }: Settings): object {
  return [cacheKey, extra?.pattern, component, keyEpoch ?? 0, isLoose === true];
}

interface Use {
  readonly reads: boolean;
  readonly writes: boolean;
}

/** A task's mode narrows that of the run. */
export function narrowed({ mode = "read-write" }: Settings, run: Use): Use {
  return {
    reads: run.reads && (mode === "read" || mode === "read-write"),
    writes: run.writes && (mode === "write" || mode === "read-write"),
  };
}
