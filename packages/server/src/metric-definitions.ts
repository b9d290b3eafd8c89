export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** Of a histogram: upper bounds, ascending. */
  readonly buckets?: readonly number[];
}

export type MetricDefinitions = Readonly<Record<string, MetricDefinition>>;

/** From a look-up in memory to a download of gigabytes (s). */
const durationBuckets = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];

const counter = (help: string): MetricDefinition => ({ type: "counter", help });
const gauge = (help: string): MetricDefinition => ({ type: "gauge", help });

/** What the server measures. No label has a name of a client, an artifact or a token. */
export const metricDefinitions: MetricDefinitions = {
  cuenv_server_requests_total: counter(
    "Requests that were answered, by front end, route and status.",
  ),
  cuenv_server_request_duration_seconds: {
    type: "histogram",
    help: "How long requests took, by front end and route.",
    buckets: durationBuckets,
  },
  cuenv_server_artifact_reads_total: counter("Artifacts that were asked for, by outcome."),
  cuenv_server_artifact_writes_total: counter("Artifacts that were sent, by outcome."),
  cuenv_server_artifacts_refused_total: counter(
    "Artifacts that were not served or kept, because nobody signed them who is trusted.",
  ),
  cuenv_server_sent_bytes_total: counter("Bytes of artifacts and blobs that were sent."),
  cuenv_server_received_bytes_total: counter("Bytes of artifacts and blobs that were stored."),
  cuenv_server_client_events_total: counter("Hits and misses as clients report them."),
  cuenv_server_evicted_total: counter("What eviction removed, by kind: entries, blobs, bytes."),
  cuenv_cache_stats: gauge(
    "The store: bytes as of now (approximate), entries and blobs as of the last sweep.",
  ),
  cuenv_cache_max_bytes: gauge("How much the store may hold; eviction begins above it."),
  process_resident_memory_bytes: gauge("Resident memory of the process."),
  process_cpu_seconds_total: counter("Processor time of the process, user and system."),
  process_start_time_seconds: gauge("When the process started, since the epoch."),
};
