// Nx at a version, with the tarballs of this working tree as they would be published: what the tests and the benchmark of @cuenv/nx run. Everything lies
// below .cache/nx, is installed once, and anew only when a source changed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ensureBuilt } from "../../tools/build-cli.mjs";
import { installedNode } from "../../tools/installed-node.mjs";
import { sourceStamp } from "../../tools/source-stamp.mjs";
import { withLock } from "../../tools/with-lock.mjs";
import { root } from "../../tools/workspace.mjs";

const folder = join(root, ".cache", "nx");
/** What is tried; @nx/devkit is not published for every patch of nx. */
export const nxVersions = {
  22: { nx: "22.7.12", devkit: "22.7.12" },
  23: { nx: "23.3.2", devkit: "23.3.1" },
  24: { nx: "24.0.6", devkit: "24.0.0" },
};
const nodeVersions = { 22: "22.23.3", 24: "24.9.0", 26: "26.10.0" };
/** An installation takes 15 s; with a cold npm cache and two at once, minutes. */
const patienceMs = 10 * 60_000;
/** The packages that whoever installs @cuenv/nx gets of ours, each after what it depends on. */
const packed = ["packages/errors", "packages/digest", "packages/cue", "apps/cli", "packages/nx"];

/** Packs the packages as they would be published, and gives the tarballs. */
export async function packPackages() {
  await ensureBuilt();
  const stamp = digest(sourceStamp(root) + ownFiles());
  const target = join(folder, `pack-${stamp}`);
  await withLock(join(folder, "pack.lock"), patienceMs, () => {
    if (existsSync(join(target, ".done"))) return;
    for (const name of readdirSync(folder))
      if (name.startsWith("pack-")) rmSync(join(folder, name), { recursive: true, force: true });
    run("tsc", ["-b", "packages/nx/tsconfig.build.json", "packages/cue/tsconfig.build.json"], root);
    mkdirSync(target, { recursive: true });
    for (const each of packed)
      run("pnpm", ["pack", "--pack-destination", target], join(root, each));
    writeFileSync(join(target, ".done"), "");
  });
  return readdirSync(target)
    .filter((name) => name.endsWith(".tgz"))
    .map((name) => join(target, name));
}

/** A node_modules with Nx of this major version and our packages, shared by all workspaces that link to it. */
export async function installedNx(major) {
  const { nx, devkit } = nxVersions[major];
  const place = join(folder, nx);
  const tarballs = await packPackages();
  const stamp = digest(tarballs.join());
  const stampFile = join(place, ".installed");
  await withLock(join(folder, `${nx}.lock`), patienceMs, () => {
    if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "package.json"), '{"name":"installed","private":true}\n');
    npm(place, ["install", "--no-save", `nx@${nx}`, `@nx/devkit@${devkit}`, ...tarballs]);
    writeFileSync(stampFile, stamp);
  });
  return join(place, "node_modules");
}

/** `npm install` in a workspace of one's own. */
export function npm(cwd, args) {
  run("npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], cwd);
}

/** The `node` of another major version. */
export function nodeProgram(major) {
  return installedNode(nodeVersions[major]);
}

/** What is published beside dist, and is in no source stamp. */
function ownFiles() {
  const own = join(root, "packages", "nx");
  const names = ["bin", "schema"].flatMap((each) =>
    existsSync(join(own, each))
      ? readdirSync(join(own, each), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
      : [],
  );
  const manifests = readdirSync(own).filter((name) => name.endsWith(".json"));
  const launcher = join(root, "apps", "cli", "bin", "cuenv.js");
  return [
    ...names.toSorted((left, right) => (left < right ? -1 : 1)),
    ...manifests.map((name) => join(own, name)),
    launcher,
  ]
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
}

function digest(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function run(program, args, cwd) {
  // Conditions and loaders of a test's own process, and settings of the npm or pnpm that started it, are none of theirs.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:p?npm_|NODE_OPTIONS$)/i.test(name)),
  );
  const certificates = env.TESTS_EXTRA_CA_CERTS || env.NODE_EXTRA_CA_CERTS || "";
  const path = [join(root, "node_modules", ".bin"), env.PATH].join(":");
  const result = spawnSync(program, args, {
    cwd,
    env: { ...env, PATH: path, NODE_EXTRA_CA_CERTS: certificates },
    encoding: "utf8",
    timeout: patienceMs,
  });
  if (result.status === 0) return;
  throw new Error(
    `${program} ${args.join(" ")} failed in ${cwd}: ${result.error ?? `${result.stdout}${result.stderr}`}`,
  );
}
