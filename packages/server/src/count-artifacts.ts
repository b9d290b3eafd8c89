import type { Metrics } from "./metrics.ts";

/** What a front end counts of its artifacts. */
export interface ArtifactCounts {
  /** One was asked for, and not sent. */
  read(outcome: "miss" | "damaged"): void;
  sent(sizeBytes: number): void;
  /** One was sent to us, and not stored. */
  write(outcome: "refused" | "present"): void;
  stored(sizeBytes: number): void;
}

export function countArtifacts(metrics: Metrics, protocol: string): ArtifactCounts {
  const read = (outcome: string): void =>
    metrics.count("cuenv_server_artifact_reads_total", { protocol, outcome });
  const write = (outcome: string): void =>
    metrics.count("cuenv_server_artifact_writes_total", { protocol, outcome });
  return {
    read,
    sent(sizeBytes) {
      read("hit");
      metrics.count("cuenv_server_sent_bytes_total", { protocol }, sizeBytes);
    },
    write,
    stored(sizeBytes) {
      write("stored");
      metrics.count("cuenv_server_received_bytes_total", { protocol }, sizeBytes);
    },
  };
}
