import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type FaultProject, projectFiles } from "./fault-project.ts";
import type { Scenario } from "./sweep.ts";

async function must(project: FaultProject, args: readonly string[]): Promise<void> {
  const { code, stderr } = await project.cuenv(args);
  if (code !== 0) throw new Error(`cannot prepare by cuenv ${args.join(" ")}: ${stderr}`);
}

function forgetRuns(project: FaultProject): void {
  rmSync(join(project.workspace, "..", "runs"), { force: true });
}

/** Files of the store with at least so many bytes, largest first. */
function storedFiles(project: FaultProject, kind: "cas" | "ac"): string[] {
  const folder = join(project.cacheDir, "v1", kind);
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .toSorted((left, right) => statSync(right).size - statSync(left).size);
}

async function built(project: FaultProject): Promise<void> {
  await must(project, ["task", "build"]);
}

async function deleteOutputs(project: FaultProject): Promise<void> {
  await built(project);
  for (const name of ["out", "single.txt"]) rmSync(project.path(name), { recursive: true });
}

/** Everything that can be wrong with outputs at once: gone, edited, of another kind or mode, too many. */
async function spoilOutputs(project: FaultProject): Promise<void> {
  await built(project);
  unlinkSync(project.path("out/a.txt"));
  mkdirSync(project.path("out/a.txt/folder"), { recursive: true });
  appendFileSync(project.path("out/nested/deep/both.txt"), "edited\n");
  chmodSync(project.path("out/run"), 0o644);
  unlinkSync(project.path("out/link"));
  project.write("out/link", "a file now\n");
  rmSync(project.path("out/empty"), { recursive: true });
  project.write("out/stale.txt", "stale\n");
  project.write("out/old/deep/stale.txt", "stale\n");
  project.write("single.txt", "edited\n");
}

async function bulk(project: FaultProject, versions: readonly string[]): Promise<void> {
  for (const version of versions) {
    project.write("bulk.txt", `${version}\n`);
    await must(project, ["task", "bulk"]);
  }
}

function bulkProblem(project: FaultProject, version: string, part: string): string[] {
  const found = readFileSync(project.path(`bulk/${part}.bin`), "latin1");
  const isRight = found === `${version}\n${part.repeat(300_000)}`;
  return isRight ? [] : [`bulk/${part}.bin of ${version} is wrong`];
}

const maxSize = { CUENV_CACHE_MAX_SIZE: "2MiB" } as const;

/** After an eviction that was killed, another one keeps the limit and takes the dead one's lock and journal away. */
async function checkEviction(project: FaultProject): Promise<string[]> {
  const problems: string[] = [];
  for (const version of ["4", "1"]) {
    project.write("bulk.txt", `${version}\n`);
    const { code, stderr } = await project.cuenv(["task", "bulk"], { env: maxSize });
    if (code !== 0) problems.push(`a later run ended with ${code}: ${stderr}`);
    problems.push(...bulkProblem(project, version, "2"));
  }
  const bytes = [...storedFiles(project, "cas"), ...storedFiles(project, "ac")].reduce(
    (sum, path) => sum + statSync(path).size,
    0,
  );
  if (bytes > 2 * 1024 * 1024) problems.push(`the store has ${bytes} bytes`);
  const left = readdirSync(join(project.cacheDir, "v1")).filter((name) =>
    /^journal\.|^sweep\.lock$/.test(name),
  );
  if (left.length > 0) problems.push(`${left.join()} outlived an eviction`);
  return problems;
}

async function damageStore(project: FaultProject): Promise<void> {
  await built(project);
  await bulk(project, ["1", "2", "3"]);
  const [first = "", second = "", third = ""] = storedFiles(project, "cas");
  const bytes = readFileSync(first);
  bytes[bytes.length - 1] = 0;
  writeFileSync(first, bytes);
  unlinkSync(second);
  truncateSync(third, 1000);
  const [entry = ""] = storedFiles(project, "ac");
  truncateSync(entry, 100);
  const dead = join(project.cacheDir, "v1", "tmp", "00000000.1.1.1.0123456789abcdef");
  mkdirSync(dead, { recursive: true });
  writeFileSync(join(dead, "1"), "half");
  // Of another machine, which goes by age.
  utimesSync(dead, 0, 0);
}

/** Without `inputs` every file of the project counts: what a killed restore leaves at the workspace's root must not. */
const everythingCounts = (projectFiles["env.cue"] ?? "").replace(
  '\t\tinputs: ["src", "make.sh"]\n',
  "",
);

export const scenarios: readonly Scenario[] = [
  {
    name: "a run that stores",
    args: ["task", "build"],
    maxRuns: 2,
    prepare: async (project) => {
      await must(project, ["task"]);
      await built(project);
      await must(project, ["cache", "clear"]);
      for (const name of ["out", "single.txt"]) rmSync(project.path(name), { recursive: true });
      forgetRuns(project);
    },
  },
  {
    name: "the first run ever, which makes the cache folder",
    args: ["task", "build"],
    maxRuns: 2,
    prepare: () => Promise.resolve(),
  },
  { name: "a run that restores deleted outputs", args: ["task", "build"], prepare: deleteOutputs },
  {
    name: "a run that restores outputs which are written beside it",
    args: ["task", "bulk"],
    prepare: async (project) => {
      await built(project);
      await bulk(project, ["1"]);
      rmSync(project.path("bulk"), { recursive: true });
    },
    check: async (project) => {
      await must(project, ["task", "bulk"]);
      return ["1", "2", "3"].flatMap((part) => bulkProblem(project, "1", part));
    },
  },
  { name: "a run that restores spoilt outputs", args: ["task", "build"], prepare: spoilOutputs },
  {
    name: "a run that restores from another file system",
    args: ["task", "build"],
    prepare: spoilOutputs,
    cacheParent: "/dev/shm",
    files: { ...projectFiles, "env.cue": everythingCounts },
  },
  {
    name: "a run that evicts",
    args: ["task", "bulk"],
    env: maxSize,
    maxRuns: 2,
    prepare: async (project) => {
      await built(project);
      await bulk(project, ["1", "2"]);
      project.write("bulk.txt", "3\n");
      rmSync(project.path("bulk"), { recursive: true });
    },
    check: checkEviction,
  },
  {
    name: "cache clear",
    args: ["cache", "clear"],
    maxRuns: 2,
    prepare: async (project) => {
      await built(project);
      await bulk(project, ["1"]);
    },
  },
  {
    name: "cache verify --repair",
    args: ["cache", "verify", "--repair"],
    maxRuns: 2,
    damage: ["corruptBlob", "damagedEntry", "danglingEntry"],
    prepare: damageStore,
    check: async (project) => {
      const repair = await project.cuenv(["cache", "verify", "--repair"]);
      const verify = await project.cuenv(["cache", "verify"]);
      return repair.code === 0 && verify.code === 0
        ? []
        : [`it could not be repaired later: ${repair.stdout}${verify.stdout}`];
    },
  },
];
