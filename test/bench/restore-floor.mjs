// `node test/bench/restore-floor.mjs [rounds]`: "outputs deleted" of the monorepo by cuenv, by turbo, and by a bare program that does only what cannot be left out
// (floor-restore.mjs). What lies between the last and the first is ours.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { measureWall, median } from "./measure.mjs";
import { cuenvPeer, turboPeer } from "./peers.mjs";
import { monorepo } from "./projects.mjs";
import { removeSetAside } from "./set-aside.mjs";
import { workFolder } from "./work-folder.mjs";

const rounds = Number(process.argv[2] ?? 11);
const project = monorepo(200, 25);
const program = fileURLToPath(new URL("floor-restore.mjs", import.meta.url));
const list = join(workFolder, "floor.json");

const runs = new Map();
for (const peer of [cuenvPeer(), turboPeer()]) {
  const folder = project.create(peer);
  peer.reset(folder);
  await measureWall(peer.command(folder));
  runs.set(peer.name, { folder, command: peer.command(folder) });
}
const { folder, command } = runs.get("cuenv");
writeFileSync(list, JSON.stringify(work(folder, join(command.env.CUENV_CACHE_DIR, "v1", "cas"))));
const floor = { ...command, argv: [process.execPath, program, list] };
runs.set("floor", { folder, command: floor });

const times = new Map([...runs.keys()].map((name) => [name, []]));
for (let round = -1; round < rounds; round += 1) {
  for (const [name, run] of runs) {
    project.deleteOutputs(run.folder);
    const { wallMs } = await measureWall(run.command);
    if (round >= 0) times.get(name).push(wallMs);
  }
}
const turbo = times.get("turbo");
for (const [name, own] of times) {
  const ratio = median(own.map((ms, round) => ms / turbo[round]));
  console.log(`${name.padEnd(8)}${median(own).toFixed(0).padStart(5)} ms  ${ratio.toFixed(2)}×`);
}
removeSetAside();

/** All paths but those of outputs, relative to the workspace; and of each folder of outputs the files, with their blobs. */
function work(root, cas) {
  const paths = [];
  const folders = [];
  const walk = (path) => {
    paths.push(path);
    for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
      const below = `${path}/${entry.name}`;
      if (entry.name === "dist") folders.push({ folder: below, files: filesIn(root, below, cas) });
      else if (entry.isDirectory()) walk(below);
      else paths.push(below);
    }
  };
  walk("packages");
  return { paths, folders };
}

function filesIn(root, output, cas) {
  const entries = readdirSync(join(root, output), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
      const blob = join(cas, "sha256", digest.slice(0, 2), digest);
      if (!existsSync(blob)) throw new Error(`${path} is not stored as ${blob}`);
      return { name: path.slice(join(root, output).length + 1), blob, digest };
    });
}
