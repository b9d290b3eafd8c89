import { readdirSync, readFileSync, rmSync, lutimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect as expectedOf } from "./expected.ts";
import { damageOutput, openFolders } from "./checkout.ts";
import { keptFolder } from "./outputs.ts";
import type { Build, Checkout } from "./runs.ts";

const strangers = ["out/t0/more/file", "out/t1-more.txt", "mix/t0/more.js", "mix/t1/more.js"];

export function damageOutputs({ random, log }: Build, { name, sandbox, world }: Checkout): void {
  const made = [...expectedOf(world).values()].flatMap(({ outputs }) => [...outputs.keys()]);
  if (random.percent(30)) {
    openFolders(sandbox.path("out"));
    sandbox.remove("out");
    log.push(`${name}: remove out`);
    return;
  }
  for (const path of random.some([...made, ...strangers], 3)) {
    const how = random.pick(["remove", "edit", "folder"] as const);
    if (how === "edit" && !sandbox.exists(path) && !path.includes("more")) continue;
    try {
      damageOutput(sandbox, path, how);
    } catch {
      continue; // a file where a folder would have to be
    }
    log.push(`${name}: ${how} ${path}`);
  }
}

export function cacheFolder({ sandbox, env }: Pick<Checkout, "sandbox" | "env">): string {
  return env["CUENV_CACHE_DIR"] ?? sandbox.cacheDir;
}

/** Takes something out of the cache folder, or changes it. */
export function damageCache({ random, log }: Build, { sandbox, stored, env }: Checkout): void {
  const place = random.pick(["cas", "ac", "workspaces", ""]);
  const folder = cacheFolder({ sandbox, env });
  const root = join(folder, "v1", place);
  let files: string[];
  try {
    files = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
  } catch {
    return;
  }
  if (files.length === 0) return;
  const file = random.pick(files);
  const how = random.pick(["remove", "cut", "flip", "all"]);
  const bytes = readFileSync(file);
  if (how === "remove") rmSync(file);
  else if (how === "all") rmSync(root, { recursive: true });
  else if (how === "cut") writeFileSync(file, bytes.subarray(0, random.below(bytes.length + 1)));
  else {
    const at = random.below(Math.max(1, bytes.length));
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
  }
  stored.certain.clear();
  stored.damaged = true;
  stored.everDamaged = true;
  log.push(`cache: ${how} ${file.slice(folder.length)}`);
}

/** Puts a file where a task says that its outputs are not. */
export function keepFile({ random, log }: Build, { name, sandbox, world }: Checkout): void {
  const tasks = [...world.tasks.values()].filter(({ output }) => output === "excepted");
  if (tasks.length === 0) return;
  const path = `${keptFolder(random.pick(tasks).name)}/mine.txt`;
  try {
    sandbox.write(path, `${random.below(9)}\n`);
  } catch {
    return; // a file where a folder would have to be
  }
  log.push(`${name}: write ${path}`);
}

/** What clocks, archives and editors do to the times of a source. */
export function setTimes({ random, log }: Build, { name, sandbox, world }: Checkout): void {
  const path = random.pick([...world.sources.keys(), join(world.place, "env.cue")]);
  const time = random.pick([0, 1_000_000_000, 4_000_000_000, Math.floor(Date.now() / 1000)]);
  lutimesSync(sandbox.path(path), time, time);
  log.push(`${name}: ${path} is of ${time}`);
}
