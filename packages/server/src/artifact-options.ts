import type { ArtifactStore } from "./artifact-store.ts";
import type { Metrics } from "./metrics.ts";

/** What every front end needs that keeps artifacts. */
export interface ArtifactOptions {
  readonly artifacts: ArtifactStore;
  readonly metrics: Metrics;
  /** No artifact is larger. */
  readonly maxArtifactBytes: number;
  /** What went wrong with the store, for whoever runs the server. */
  readonly onTrouble?: (message: string) => void;
}
