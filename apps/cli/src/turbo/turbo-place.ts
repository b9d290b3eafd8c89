import { join } from "node:path";
import type { CacheSettings } from "@cuenv/config";
import { runtimeDigest } from "./runtime-digest.ts";

/** Turbo only sends ids that begin with `team_`; the namespace is what follows. */
const namespace = "local";

/** Where turbo's results lie that go with the platform and tools of the settings. */
export interface TurboPlace {
  /** Among the artifacts of the cache folder. */
  readonly team: string;
  /** Turbo's own cache, below its root; undefined: where turbo has it. */
  readonly cacheDir: string | undefined;
}

/** @param root turbo's, absolute @throws {CuenvError} TURBO_RUNTIME */
export function turboPlace({ runtime }: CacheSettings, root: string): TurboPlace {
  const digest = runtimeDigest(runtime, root);
  return digest === undefined
    ? { team: namespace, cacheDir: undefined }
    : { team: `${namespace}-${digest}`, cacheDir: join(".turbo", "cache", digest) };
}
