// `node test/bench/grpc.mjs`: cuenv serve beside bazel-remote 2.6.2 over gRPC, both on local disk, uncompressed, in one run, under the load of a Go client
// (grpc-load/): requests per second, CPU of the server per operation, and its peak memory. Rounds are interleaved; trust CPU and the ratios, of operations
// at concurrency 8 and more. Needs Go and its module proxy. Targets: reference/performance.md 7b.
// Then: uploads from 20 ms away, and peak memory by size of blob (grpc-bounds.mjs; `--only far`, `--only memory`).
//   --rounds N  --seconds S  --only TEXT  --json  --profile FOLDER (of cuenv's CPU)
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { buildBazelRemote } from "../../tools/bazel-remote.mjs";
import { ensureBuilt } from "../../tools/build-cli.mjs";
import { root } from "../../tools/workspace.mjs";
import { measureFarUploads, measureMemory } from "./grpc-bounds.mjs";
import { median } from "./measure.mjs";
import { compare, printReport } from "./report.mjs";
import { cpuMs, freshFolder, peakMiB, startServer } from "./server-process.mjs";
import { workFolder } from "./work-folder.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
    profile: { type: "string" },
  },
});
const rounds = Number(options.rounds);
const KiB = 1024;
const MiB = 1024 * KiB;
/** Work on bytes and long lists; batches; calls that are nothing but a call. */
const bytes = { target: 2, gate: 3 };
const batch = { target: 2.5, gate: 4 };
const tiny = { target: 6, gate: 9 };

const operations = [
  { op: "capabilities", name: "GetCapabilities", at: [8, 32], limits: tiny },
  { op: "find", name: "FindMissingBlobs of 1,000", count: 1000, at: [1, 8, 32], limits: bytes },
  {
    op: "batch-update",
    name: "BatchUpdateBlobs 100 × 4 KiB",
    size: 4 * KiB,
    at: [1, 8],
    limits: batch,
  },
  {
    op: "batch-read",
    name: "BatchReadBlobs 100 × 4 KiB",
    size: 4 * KiB,
    at: [1, 8],
    limits: batch,
  },
  { op: "write", name: "Write 4 KiB", size: 4 * KiB, at: [1, 8, 32], limits: tiny },
  { op: "write", name: "Write 1 MiB", size: MiB, at: [1, 8], limits: bytes },
  { op: "write", name: "Write 64 MiB", size: 64 * MiB, at: [1, 8], limits: bytes },
  { op: "read", name: "Read 4 KiB", size: 4 * KiB, at: [1, 8, 32], limits: tiny },
  { op: "read", name: "Read 1 MiB", size: MiB, at: [1, 8, 32], limits: bytes },
  { op: "read", name: "Read 64 MiB", size: 64 * MiB, at: [1, 8], limits: bytes },
  { op: "action-update", name: "UpdateActionResult", at: [1, 32], limits: tiny },
  { op: "action-hit", name: "GetActionResult, hit", at: [1, 8, 32], limits: tiny },
  { op: "action-miss", name: "GetActionResult, miss", at: [8, 32], limits: tiny },
];

await ensureBuilt();
note("building the peer, two minutes the first time");
const load = buildLoad();
const bazelRemote = buildBazelRemote();
const peers = [await startCuenv(), await startBazelRemote()];
const rows = [];
try {
  for (const { at, limits, ...operation } of operations) {
    for (const concurrency of at) {
      const name = `${operation.name}, ${concurrency} at once`;
      if (!name.includes(options.only)) continue;
      note(name);
      const cpu = new Map(peers.map((peer) => [peer.name, []]));
      const rate = new Map(peers.map((peer) => [peer.name, []]));
      for (let round = 0; round < rounds; round += 1)
        for (const peer of peers) {
          const measured = await run(peer, operation, concurrency);
          cpu.get(peer.name).push(measured.cpuMs);
          rate.get(peer.name).push(measured.perSecond);
        }
      // What is measured one at a time is mostly idle wake-ups of the machine: shown, not judged.
      const targets = concurrency === 1 ? {} : { "bazel-remote": limits };
      rows.push(...compare("gRPC", `${name}: CPU of the server`, cpu, targets, "ms"));
      for (const row of rows.slice(-peers.length))
        row.perSecond = Math.round(median(rate.get(row.peer)));
    }
  }
  if ("far".includes(options.only)) rows.push(...(await measureFarUploads(peers, rounds, run)));
  if ("memory".includes(options.only)) rows.push(...(await measureMemory(peers, run)));
  const memory = new Map(peers.map(({ name, pid }) => [name, [peakMiB(pid)]]));
  rows.push(...compare("gRPC", "peak memory, after all", memory, {}, "MiB"));
} finally {
  for (const { child } of peers) child.kill(options.profile === undefined ? "SIGKILL" : "SIGTERM");
}
if (!options.json)
  for (const { scenario, peer, perSecond } of rows)
    if (perSecond !== undefined) note(`${scenario.split(":")[0]}: ${peer} ${perSecond} per second`);
if (printReport(rows, { json: options.json, gates: true }) > 0) process.exitCode = 1;

/** The load runs for some seconds; the CPU time is that between its two lines. */
async function run({ name, port, pid }, { op, size = 4 * KiB, count = 100 }, concurrency) {
  const flags = {
    addr: `127.0.0.1:${port}`,
    op,
    size,
    count,
    concurrency,
    seconds: options.seconds,
  };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`-${flag}`, String(value)]);
  const child = spawn(load, args, { stdio: ["ignore", "pipe", "inherit"] });
  let before = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line);
    if (said.state === "started") before = cpuMs(pid);
    else {
      if (said.errors > 0) throw new Error(`${name}: ${said.errors} of ${op} failed`);
      return {
        cpuMs: (cpuMs(pid) - before) / said.operations,
        perSecond: said.operations / said.seconds,
      };
    }
  }
  throw new Error(`${name}: the load of ${op} ended without a result`);
}

function buildLoad() {
  const folder = join(workFolder, "grpc-load");
  mkdirSync(folder, { recursive: true });
  const built = join(folder, "load");
  const done = spawnSync("go", ["build", "-o", built, "."], {
    cwd: join(root, "test", "bench", "grpc-load"),
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (done.status !== 0) throw new Error("cannot build the load; is Go there?");
  return built;
}

function startCuenv() {
  const launcher = join(root, "apps", "cli", "bin", "cuenv.js");
  const dir = freshFolder("grpc-cuenv");
  const profile =
    options.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${options.profile}`];
  const flags = ["--http", "8493", "--grpc", "8494", "--dir", dir, "--max-size", "50GiB"];
  const argv = [process.execPath, ...profile, launcher, "serve", ...flags];
  return startServer({ name: "cuenv", argv, port: 8494 });
}

function startBazelRemote() {
  const flags = {
    dir: freshFolder("grpc-bazel-remote"),
    max_size: "50",
    storage_mode: "uncompressed",
    grpc_address: "127.0.0.1:8496",
    http_address: "127.0.0.1:8495",
    access_log_level: "none",
  };
  const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
  return startServer({ name: "bazel-remote", argv: [bazelRemote, ...args], port: 8496 });
}

function note(text) {
  process.stderr.write(`${text}\n`);
}
