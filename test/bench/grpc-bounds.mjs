// What test/bench/grpc.mjs asks besides throughput: whether uploads crawl where round trips are long, and whether memory grows with the blobs.
import { writeFileSync } from "node:fs";
import { startChaosProxy } from "../../tools/chaos-proxy.mjs";
import { compare } from "./report.mjs";
import { peakMiB } from "./server-process.mjs";

const KiB = 1024;
const MiB = 1024 * KiB;
const latencyMs = 10;

/**
 * Time of one upload of 16 MiB where a round trip takes 20 ms: with HTTP/2's usual window of 64 KiB it would be 5 s.
 * @param run as grpc.mjs has it
 */
export async function measureFarUploads(peers, rounds, run) {
  const times = new Map(peers.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const peer of peers) {
      const proxy = await startChaosProxy({ host: "127.0.0.1", port: peer.port });
      Object.assign(proxy.faults, { latencyMs });
      const upload = { op: "write", size: 16 * MiB };
      const { perSecond } = await run({ ...peer, port: proxy.port }, upload, 1);
      times.get(peer.name).push(1000 / perSecond);
      await proxy.close();
    }
  return compare("gRPC", `Write 16 MiB, ${2 * latencyMs} ms away`, times, {}, "ms");
}

/** Peak memory while blobs of one size are written and read, for sizes from 4 KiB to 256 MiB. */
export async function measureMemory(peers, run) {
  const rows = [];
  for (const [label, size, concurrency] of [
    ["4 KiB", 4 * KiB, 8],
    ["1 MiB", MiB, 8],
    ["16 MiB", 16 * MiB, 8],
    ["256 MiB", 256 * MiB, 2],
  ]) {
    const memory = new Map();
    for (const peer of peers) {
      // Linux: the peak is counted anew from here.
      writeFileSync(`/proc/${peer.pid}/clear_refs`, "5");
      await run(peer, { op: "write", size }, concurrency);
      await run(peer, { op: "read", size }, concurrency);
      memory.set(peer.name, [peakMiB(peer.pid)]);
    }
    const name = `peak memory, blobs of ${label}, ${concurrency} at once`;
    rows.push(...compare("gRPC", name, memory, {}, "MiB"));
  }
  return rows;
}
