import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createOpenPolicy } from "./access-policy.ts";
import { createCacheServer } from "./cache-server.ts";
import { frame, raw } from "../test/raw-grpc.ts";
import { createMetrics } from "./metrics.ts";
import { createReapiServer } from "./reapi/create-reapi-server.ts";

describe("metrics", () => {
  const make = () =>
    createMetrics({
      hits_total: { type: "counter", help: "Hits." },
      took_seconds: { type: "histogram", help: "Times.", buckets: [0.1, 1] },
      size_bytes: { type: "gauge", help: "Size." },
    });

  it("are a text of counters, histograms whose buckets are cumulative, and gauges", () => {
    const metrics = make();
    metrics.count("hits_total", { route: "b" }, 2);
    metrics.count("hits_total", { route: "a", front_end: 'x"y' });
    for (const seconds of [0.05, 0.1, 0.5, 7])
      metrics.observe("took_seconds", seconds, { route: "a" });
    let size = 1;
    metrics.read("size_bytes", () => [[{}, size]]);
    size = 5;
    expect(metrics.text()).toBe(`# HELP hits_total Hits.
# TYPE hits_total counter
hits_total{front_end="x_y",route="a"} 1
hits_total{route="b"} 2
# HELP took_seconds Times.
# TYPE took_seconds histogram
took_seconds_bucket{route="a",le="0.1"} 2
took_seconds_bucket{route="a",le="1"} 3
took_seconds_bucket{route="a",le="+Inf"} 4
took_seconds_sum{route="a"} 7.65
took_seconds_count{route="a"} 4
# HELP size_bytes Size.
# TYPE size_bytes gauge
size_bytes 5
`);
  });

  it("are not made of what is not defined", () => {
    const metrics = make();
    metrics.count("other_total");
    metrics.observe("other_seconds", 1);
    metrics.read("other_bytes", () => [[{}, 1]]);
    expect(metrics.text()).not.toContain("other");
  });
});

async function startCache() {
  const root = mkdtempSync(join(tmpdir(), "cuenv-metrics-"));
  const server = createCacheServer({
    root: join(root, "cache"),
    digestFunction: "sha256",
    durability: "batch",
    limits: { maxBytes: 1_000_000_000, maxAgeMs: undefined },
    evictionPolicy: "LRU",
    policy: createOpenPolicy(),
    createGrpc: createReapiServer,
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { server, port, remove: () => rmSync(root, { recursive: true }) };
}

describe("the metrics of a server", () => {
  it("match what it was asked, and tell of its store and process", async () => {
    const { server, port, remove } = await startCache();
    const url = `http://127.0.0.1:${port}`;
    const artifact = `${url}/v8/artifacts/c13082a5f3e03b6b?slug=acme`;
    const headers = { authorization: "Bearer any" };
    await fetch(artifact, { headers });
    await fetch(artifact, { method: "PUT", headers, body: Buffer.alloc(1000) });
    for (const _ of [1, 2]) await (await fetch(artifact, { headers })).arrayBuffer();
    const lines = (await (await fetch(`${url}/metrics`)).text()).split("\n");
    const valueOf = (start: string): number =>
      Number(lines.find((line) => line.startsWith(`${start} `))?.slice(start.length));
    await server.close();
    remove();
    const read = (outcome: string) =>
      `cuenv_server_artifact_reads_total{outcome="${outcome}",protocol="turborepo"}`;
    expect([valueOf(read("hit")), valueOf(read("miss"))]).toEqual([2, 1]);
    expect(valueOf('cuenv_server_sent_bytes_total{protocol="turborepo"}')).toBe(2000);
    expect(valueOf('cuenv_server_received_bytes_total{protocol="turborepo"}')).toBe(1000);
    const timed = lines.filter((line) =>
      line.startsWith("cuenv_server_request_duration_seconds_count"),
    );
    const counted = lines.filter((line) => line.startsWith("cuenv_server_requests_total"));
    const sum = (of: readonly string[]) =>
      of.reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
    expect(sum(counted)).toBe(4);
    expect(sum(timed)).toBe(4);
    expect(valueOf('cuenv_cache_stats{metric="bytes"}')).toBeGreaterThanOrEqual(0);
    expect(valueOf("cuenv_cache_max_bytes")).toBe(1_000_000_000);
    for (const name of ["resident_memory_bytes", "cpu_seconds_total", "start_time_seconds"])
      expect(valueOf(`process_${name}`), name).toBeGreaterThan(0);
  });

  it("have no path in them that a client made up", async () => {
    const { server, port, remove } = await startCache();
    const there = { host: "127.0.0.1", port: 0 };
    const grpcPort = (await server.grpc?.listen(there))?.port ?? 0;
    const types = ["application/grpc", "text/html"];
    for (const type of types)
      await raw(grpcPort, "/any.Name/secret", frame(Buffer.alloc(1)), { "content-type": type });
    await fetch(`http://127.0.0.1:${port}/secret`);
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await server.close();
    remove();
    expect(text).toContain('route="unknown",status="UNIMPLEMENTED"} 1');
    expect(text).not.toContain("secret");
  });
});
