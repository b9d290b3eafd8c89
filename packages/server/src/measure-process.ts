import process from "node:process";
import type { Metrics } from "./metrics.ts";

/** The process itself, by the names that Prometheus' own clients use. */
export function measureProcess(metrics: Metrics): void {
  const startedSeconds = Date.now() / 1000 - process.uptime();
  metrics.read("process_resident_memory_bytes", () => [[{}, process.memoryUsage.rss()]]);
  metrics.read("process_cpu_seconds_total", () => {
    const { user, system } = process.cpuUsage();
    return [[{}, (user + system) / 1e6]];
  });
  metrics.read("process_start_time_seconds", () => [[{}, startedSeconds]]);
}
