import type { Metrics } from "./metrics.ts";

/** One request that was answered, by names of ours. */
export interface CountedRequest {
  readonly frontEnd: string;
  readonly route: string;
  readonly status: string;
  readonly durationMs: number;
}

export function countRequest(
  metrics: Metrics,
  { frontEnd: front_end, route, status, durationMs }: CountedRequest,
): void {
  metrics.count("cuenv_server_requests_total", { front_end, route, status });
  const seconds = durationMs / 1000;
  metrics.observe("cuenv_server_request_duration_seconds", seconds, { front_end, route });
}
