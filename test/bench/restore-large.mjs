// `node test/bench/restore-large.mjs [rounds]`: outputs deleted where they are many and large (20 tasks, 2,000 files, 370 MB), by cuenv, which has several threads stage them,
// and by turbo. CPU is that of the tool and what it starts.
import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { hasTimeProgram, measureUsage, measureWall, median } from "./measure.mjs";
import { cuenvPeer, turboPeer } from "./peers.mjs";
import { monorepo } from "./projects.mjs";
import { removeSetAside } from "./set-aside.mjs";

const rounds = Number(process.argv[2] ?? 7);
const project = monorepo(20, 5);
const more = `
sources="$(echo src/*.ts)"
part=1
while [ $part -le 100 ]; do
  cat $sources $sources $sources $sources $sources $sources $sources $sources $sources $sources $sources $sources > dist/part-$part.js
  part=$((part + 1))
done
`;

const runs = new Map();
for (const peer of [cuenvPeer(), turboPeer()]) {
  const folder = project.create(peer);
  for (const name of readdirSync(join(folder, "packages")))
    appendFileSync(join(folder, "packages", name, "build.sh"), more);
  peer.reset(folder);
  await measureWall(peer.command(folder));
  runs.set(peer.name, { folder, command: peer.command(folder), times: [], cpu: undefined });
}
for (let round = -1; round < rounds; round += 1) {
  for (const run of runs.values()) {
    project.deleteOutputs(run.folder);
    const { wallMs } = await measureWall(run.command);
    if (round >= 0) run.times.push(wallMs);
  }
}
for (const run of runs.values()) {
  if (!hasTimeProgram) break;
  project.deleteOutputs(run.folder);
  run.cpu = await measureUsage(run.command);
}
const turbo = runs.get("turbo").times;
for (const [name, { times, cpu }] of runs) {
  const ratio = median(times.map((ms, round) => ms / turbo[round]));
  const usage =
    cpu === undefined ? "" : `  CPU ${cpu.cpuMs.toFixed(0)} ms, ${cpu.rssMiB.toFixed(0)} MiB`;
  console.log(
    `${name.padEnd(8)}${median(times).toFixed(0).padStart(6)} ms  ${ratio.toFixed(2)}×${usage}`,
  );
}
removeSetAside();
