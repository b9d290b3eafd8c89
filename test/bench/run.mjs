// `npm run bench`: cuenv beside turbo and nx on the same projects, in one run. Rounds are interleaved (every peer once per
// round, in turn), figures are medians, ratios are medians of the ratios within a round: the machine's noise hits all alike.
//   --rounds N  --only TEXT,… (scenarios)  --peers a,b  --projects monorepo,plain,small,start,large  --json  --quick (small, no gates)
import process from "node:process";
import { parseArgs } from "node:util";
import { ensureBuilt } from "../../tools/build-cli.mjs";
import { hasTimeProgram, measureUsage, measureWall } from "./measure.mjs";
import { cuenvPeer, nxPeer, rawPeer, turboPeer } from "./peers.mjs";
import { monorepo, plainProject } from "./projects.mjs";
import { compare, printReport } from "./report.mjs";
import { largeTargets, plainTargets, scenarios, smallTargets, usageTargets } from "./scenarios.mjs";
import { removeSetAside } from "./set-aside.mjs";
import { startRows } from "./start-cost.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string" },
    only: { type: "string", default: "" },
    peers: { type: "string" },
    projects: { type: "string" },
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 2 : 9));
/** A cold run takes seconds and its ratio is stable. */
const coldRounds = Math.min(rounds, 3);

const makers = {
  cuenv: cuenvPeer,
  turbo: turboPeer,
  "nx-daemon": () => nxPeer(true),
  nx: () => nxPeer(false),
  raw: rawPeer,
};
const peerNames = (
  options.peers ?? (options.quick ? "cuenv,turbo,raw" : "cuenv,turbo,nx-daemon,nx,raw")
).split(",");
const projects = {
  monorepo: () => ({ project: monorepo(200, 25), usage: true }),
  plain: () => ({ project: plainProject(), targets: plainTargets }),
  small: () => ({ project: monorepo(5, 10), targets: smallTargets }),
  // Minutes, and only where it is asked for.
  large: () => ({ project: monorepo(1000, 20), targets: largeTargets }),
};
const projectNames = (
  options.projects ?? (options.quick ? "small,start" : "monorepo,plain,small,start")
).split(",");

note(`${rounds} rounds, Node ${process.version}; trust the ratios, not the milliseconds`);
if (peerNames.includes("cuenv") || projectNames.includes("start")) await ensureBuilt();
const rows = [];
for (const name of projectNames) {
  try {
    if (name === "start") rows.push(...(await startRows(rounds)));
    else rows.push(...(await projectRows(projects[name]())));
  } catch (error) {
    // What was measured before is shown all the same.
    note(`${name}: ${error.message}`);
    process.exitCode = 1;
  }
}
removeSetAside();
const failed = printReport(rows, { json: options.json, gates: !options.quick });
if (failed > 0 && !options.quick) process.exitCode = 1;

async function projectRows({ project, usage = false, targets }) {
  const peers = peerNames
    .map((name) => makers[name]())
    .filter((peer) => peer.name !== "no cache" || project.name.startsWith("monorepo"));
  const folders = new Map(peers.map((peer) => [peer, project.create(peer)]));
  try {
    for (const peer of peers) await prime(project, peer, folders.get(peer));
    const measured = [];
    for (const scenario of scenarios.filter(isWanted)) {
      note(`${project.name}: ${scenario.name}`);
      const times = await scenarioTimes(project, scenario, peers, folders);
      measured.push(
        ...compare(
          project.name,
          scenario.name,
          times,
          targets?.[scenario.name] ?? (targets ? {} : scenario.targets),
          "ms",
        ),
      );
    }
    if (usage && hasTimeProgram) measured.push(...(await usageRows(project, peers, folders)));
    return measured;
  } finally {
    for (const peer of peers) peer.stop?.(folders.get(peer));
  }
}

function isWanted({ name }) {
  return options.only.split(",").some((text) => name.includes(text));
}

/** Fills the peer's cache from nothing, and once more so that whatever it learns from a first hit is learnt. */
async function prime(project, peer, folder) {
  note(`${project.name}: first run of ${peer.name}`);
  peer.reset(folder);
  project.deleteOutputs(folder);
  await measureWall(peer.command(folder));
  const missing = project.times(folder).filter((time) => time === undefined).length;
  if (missing > 0) throw new Error(`${peer.name} left ${missing} outputs out in ${folder}`);
  await measureWall(peer.command(folder));
}

/** Peer → its times, one per round. */
async function scenarioTimes(project, scenario, peers, folders) {
  const taking = peers.filter(
    (peer) => (scenario.cold || peer.name !== "no cache") && (!scenario.keys || peer.keys),
  );
  const times = new Map(taking.map((peer) => [peer.name, []]));
  for (let round = 0; round < (scenario.cold ? coldRounds : rounds); round += 1) {
    // Another one begins each round: the first after a pause pays for what the pause cost.
    const order = taking.map((_, index) => taking[(index + round) % taking.length]);
    for (const peer of order) {
      const folder = folders.get(peer);
      await scenario.prepare({ project, folder, peer });
      const before = project.times(folder);
      const { wallMs } = await measureWall(
        scenario.keys ? peer.keys(folder) : peer.command(folder),
      );
      const after = project.times(folder);
      const written = after.filter(
        (time, index) => time !== undefined && time !== before[index],
      ).length;
      if (written !== scenario.written(project) && !peer.rewritesOutputs) {
        throw new Error(
          `${peer.name}, ${scenario.name}: wrote ${written} outputs, not ${scenario.written(project)}`,
        );
      }
      times.get(peer.name).push(wallMs);
    }
  }
  return times;
}

async function usageRows(project, peers, folders) {
  note(`${project.name}: memory and CPU, warm`);
  const taking = peers.filter((peer) => peer.name !== "no cache");
  const results = { rssMiB: new Map(), cpuMs: new Map() };
  for (let round = 0; round < Math.min(rounds, 5); round += 1) {
    for (const peer of taking) {
      const usage = await measureUsage(peer.command(folders.get(peer)));
      for (const [kind, map] of Object.entries(results)) {
        map.set(peer.name, [...(map.get(peer.name) ?? []), usage[kind]]);
      }
    }
  }
  return [
    ...compare(
      project.name,
      "warm: peak memory",
      results.rssMiB,
      { turbo: usageTargets.rssMiB },
      "MiB",
    ),
    ...compare(project.name, "warm: CPU time", results.cpuMs, { turbo: usageTargets.cpuMs }, "ms"),
  ];
}

function note(text) {
  process.stderr.write(`${text}\n`);
}
