import type { NxTaskResult } from "../nx-api.ts";
import type { BridgeCounts } from "./bridge.ts";

/** What a run had of the shared cache, in one line; undefined when it was not asked. */
export function runReport(
  { hits, misses, savedMs, stored }: BridgeCounts,
  results: Readonly<Record<string, NxTaskResult>>,
): string | undefined {
  if (hits + misses === 0) return undefined;
  const local = Object.values(results).filter(({ status }) =>
    status.startsWith("local-cache"),
  ).length;
  const parts = [
    `${hits} ${hits === 1 ? "hit" : "hits"}`,
    `${misses} ${misses === 1 ? "miss" : "misses"}`,
    `${stored.size} stored`,
    ...(local > 0 ? [`${local} from Nx's own cache`] : []),
  ];
  const saved = savedMs > 0 ? `; saved ${durationText(savedMs)}` : "";
  return `shared cache: ${parts.join(", ")}${saved}`;
}

function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
