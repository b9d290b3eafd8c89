// `node test/bench/server.mjs`: cuenv serve beside the npm package turborepo-remote-cache (ducktors), both on local disk, in one run: requests per second, CPU
// of the server per request, and its peak memory. Rounds are interleaved; trust CPU and the ratios. Loopback, the client shares the machine.
//   --rounds N  --only TEXT  --json  --profile FOLDER (of cuenv's CPU)
import { randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { ensureBuilt } from "../../tools/build-cli.mjs";
import { root } from "../../tools/workspace.mjs";
import { installPeer } from "./install-peer.mjs";
import { median } from "./measure.mjs";
import { compare, printReport } from "./report.mjs";
import { cpuMs, freshFolder, peakMiB, startServer } from "./server-process.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
    profile: { type: "string" },
  },
});
const rounds = Number(options.rounds);
const ducktors = "2.12.0";
const peerName = "turborepo-remote-cache";
const token = "bench-token";

const KiB = 1024;
const MiB = 1024 * KiB;
/** Of our CPU to the peer's. Its `PUT` hashes nothing, which is a third of ours (decision 0122). */
const operations = [
  { name: "PUT 4 KiB", size: 4 * KiB, at: 8, count: 2000, limits: { target: 1.25, gate: 1.8 } },
  { name: "GET 4 KiB", size: 4 * KiB, at: 8, count: 4000, limits: { target: 0.5, gate: 0.8 } },
  { name: "PUT 1 MiB", size: MiB, at: 8, count: 200, limits: { target: 1.2, gate: 1.8 } },
  { name: "GET 1 MiB", size: MiB, at: 8, count: 300, limits: { target: 0.8, gate: 1.2 } },
  { name: "PUT 20 MiB", size: 20 * MiB, at: 4, count: 12, limits: { target: 1.25, gate: 1.8 } },
  { name: "GET 20 MiB", size: 20 * MiB, at: 4, count: 16, limits: { target: 1.1, gate: 1.6 } },
  { name: "HEAD 4 KiB", size: 4 * KiB, at: 8, count: 6000, limits: { target: 0.85, gate: 1.2 } },
  { name: "GET miss", size: 0, at: 8, count: 8000, limits: { target: 1.1, gate: 1.6 } },
];
const memoryLimits = { target: 1.0, gate: 1.4 };

await ensureBuilt();
// Before anything is started that a failure would leave behind.
const modules = installPeer(peerName, ducktors);
const peers = [await startCuenv(), await startDucktors()];
const rows = [];
try {
  for (const operation of operations) {
    if (!operation.name.includes(options.only)) continue;
    note(operation.name);
    const cpu = new Map(peers.map(({ name }) => [name, []]));
    const rate = new Map(peers.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round += 1)
      for (const peer of peers) {
        const measured = await run(peer, operation, round);
        cpu.get(peer.name).push(measured.cpuMs);
        rate.get(peer.name).push(measured.perSecond);
      }
    const targets = { [peerName]: operation.limits };
    rows.push(...compare("server", `${operation.name}: CPU of the server`, cpu, targets, "ms"));
    for (const row of rows.slice(-peers.length))
      row.perSecond = Math.round(median(rate.get(row.peer)));
  }
  const memory = new Map(peers.map(({ name, pid }) => [name, [peakMiB(pid)]]));
  const targets = options.only === "" ? { [peerName]: memoryLimits } : {};
  rows.push(...compare("server", "peak memory, after all", memory, targets, "MiB"));
} finally {
  for (const { child } of peers) child.kill(options.profile === undefined ? "SIGKILL" : "SIGTERM");
}
if (!options.json)
  for (const { scenario, peer, perSecond } of rows)
    if (perSecond !== undefined) note(`${scenario.split(":")[0]}: ${peer} ${perSecond} per second`);
if (printReport(rows, { json: options.json, gates: true }) > 0) process.exitCode = 1;

async function run(peer, { name, size, at: concurrency, count }, round) {
  const [method] = name.split(" ");
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const bodies = Array.from({ length: method === "PUT" ? 4 : 1 }, () => randomBytes(size));
  // What is read is there; what is written is new, as results of a build are.
  const nameOf = (index) =>
    method === "PUT"
      ? `p${round}x${index}x${size}`
      : size === 0
        ? `missing${index}`
        : `there${index % 20}x${size}`;
  if (method !== "PUT" && size > 0)
    for (let index = 0; index < 20; index += 1)
      await ask(peer, agent, "PUT", nameOf(index), bodies[0]);
  const before = cpuMs(peer.pid);
  const since = performance.now();
  let next = 0;
  const expected = method === "PUT" ? [200, 202] : size === 0 ? [404] : [200];
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < count) {
        const index = next;
        next += 1;
        const body = method === "PUT" ? bodies[index % bodies.length] : undefined;
        const status = await ask(peer, agent, method, nameOf(index), body);
        if (!expected.includes(status))
          throw new Error(`${peer.name} answers ${method} with ${status}`);
      }
    }),
  );
  const seconds = (performance.now() - since) / 1000;
  agent.destroy();
  return {
    perSecond: count / seconds,
    cpuMs: (cpuMs(peer.pid) - before) / count,
  };
}

function ask({ port }, agent, method, name, body) {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        agent,
        port,
        host: "127.0.0.1",
        method,
        path: `/v8/artifacts/${name}?slug=bench`,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined
            ? {}
            : { "content-type": "application/octet-stream", "content-length": body.length }),
        },
      },
      (incoming) => {
        incoming.on("data", () => undefined);
        incoming.on("end", () => resolve(incoming.statusCode));
        incoming.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

function startCuenv() {
  const launcher = join(root, "apps", "cli", "bin", "cuenv.js");
  const { profile: folder } = options;
  const profile = folder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${folder}`];
  const flags = ["--http", "8491", "--grpc", "off", "--dir", freshFolder("server-cuenv")];
  const argv = [process.execPath, ...profile, launcher, "serve", ...flags];
  return startServer({ name: "cuenv", argv, port: 8491, env: { CUENV_SERVER_TOKEN: token } });
}

function startDucktors() {
  const argv = [process.execPath, join(modules, peerName, "dist", "cli.js")];
  const env = {
    PORT: "8492",
    TURBO_TOKEN: token,
    STORAGE_PROVIDER: "local",
    STORAGE_PATH: freshFolder("server-ducktors"),
    LOG_LEVEL: "silent",
    BODY_LIMIT: "1073741824",
  };
  return startServer({ name: peerName, argv, port: 8492, env });
}

function note(text) {
  process.stderr.write(`${text}\n`);
}
