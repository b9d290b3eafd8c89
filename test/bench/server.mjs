// `node test/bench/server.mjs`: cuenv serve beside the npm package turborepo-remote-cache (ducktors), both on local disk, in one run: requests per second, CPU
// of the server per request, and its peak memory. Rounds are interleaved; trust CPU and the ratios. Loopback, the client shares the machine.
//   --rounds N  --json
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { ensureBuilt } from "../../tools/build-cli.mjs";
import { root } from "../../tools/workspace.mjs";
import { installPeer } from "./install-peer.mjs";
import { median } from "./measure.mjs";
import { compare, printReport } from "./report.mjs";
import { workFolder } from "./work-folder.mjs";

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, json: { type: "boolean", default: false } },
});
const rounds = Number(options.rounds);
const ducktors = "2.12.0";
const token = "bench-token";
const clockTicksPerMs = 0.1;

const KiB = 1024;
const operations = [
  { name: "PUT 4 KiB", method: "PUT", size: 4 * KiB, concurrency: 8, count: 400 },
  { name: "GET 4 KiB", method: "GET", size: 4 * KiB, concurrency: 8, count: 1500 },
  { name: "PUT 1 MiB", method: "PUT", size: 1024 * KiB, concurrency: 8, count: 80 },
  { name: "GET 1 MiB", method: "GET", size: 1024 * KiB, concurrency: 8, count: 200 },
  { name: "PUT 20 MiB", method: "PUT", size: 20 * 1024 * KiB, concurrency: 4, count: 12 },
  { name: "GET 20 MiB", method: "GET", size: 20 * 1024 * KiB, concurrency: 4, count: 16 },
  { name: "HEAD", method: "HEAD", size: 4 * KiB, concurrency: 8, count: 1500 },
  { name: "miss", method: "GET", size: 0, concurrency: 8, count: 1500 },
];

await ensureBuilt();
const peers = [await startCuenv(), await startDucktors()];
const rows = [];
try {
  for (const operation of operations) {
    note(operation.name);
    const cpu = new Map(peers.map(({ name }) => [name, []]));
    const rate = new Map(peers.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round += 1)
      for (const peer of peers) {
        const measured = await run(peer, operation, round);
        cpu.get(peer.name).push(measured.cpuMs);
        rate.get(peer.name).push(measured.perSecond);
      }
    rows.push(...compare("server", `${operation.name}: CPU of the server`, cpu, {}, "ms"));
    for (const row of rows.slice(-peers.length))
      row.perSecond = Math.round(median(rate.get(row.peer)));
  }
  const memory = new Map(peers.map(({ name, pid }) => [name, [peakMiB(pid)]]));
  rows.push(...compare("server", "peak memory, after all", memory, {}, "MiB"));
} finally {
  for (const { child } of peers) child.kill("SIGKILL");
}
if (!options.json)
  for (const { scenario, peer, perSecond } of rows)
    if (perSecond !== undefined) note(`${scenario.split(":")[0]}: ${peer} ${perSecond} per second`);
printReport(rows, { json: options.json, gates: false });

async function run(peer, { method, size, concurrency, count }, round) {
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
  const before = cpuTicks(peer.pid);
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
    cpuMs: (cpuTicks(peer.pid) - before) / clockTicksPerMs / count,
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

async function startCuenv() {
  const dir = freshFolder("server-cuenv");
  const launcher = join(root, "apps", "cli", "bin", "cuenv.js");
  const args = [launcher, "serve", "--http", "8491", "--dir", dir];
  return started("cuenv", args, 8491, { CUENV_SERVER_TOKEN: token });
}

async function startDucktors() {
  const modules = installPeer("turborepo-remote-cache", ducktors);
  const env = {
    PORT: "8492",
    TURBO_TOKEN: token,
    STORAGE_PROVIDER: "local",
    STORAGE_PATH: freshFolder("server-ducktors"),
    LOG_LEVEL: "silent",
    BODY_LIMIT: "1073741824",
  };
  return started(
    "turborepo-remote-cache",
    [join(modules, "turborepo-remote-cache", "dist", "cli.js")],
    8492,
    env,
  );
}

async function started(name, args, port, env) {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    cwd: workFolder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`);
    try {
      await ask({ port }, undefined, "GET", "probe");
      return { name, port, child, pid: child.pid };
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`${name} does not listen: ${said}`);
}

function freshFolder(name) {
  const folder = join(workFolder, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Of all its threads, in hundredths of a second (fields 14 and 15 of /proc/PID/stat). */
function cpuTicks(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function peakMiB(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
}

function note(text) {
  process.stderr.write(`${text}\n`);
}
