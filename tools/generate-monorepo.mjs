// Makes a synthetic monorepo for benchmarks, the same bytes every time:
//   node tools/generate-monorepo.mjs --out DIR [--packages 200] [--files 25] [--tool none|turbo|nx|cuenv] [--nm NODE_MODULES]
// Package i depends on (i-1)>>1 and every fifth one on i-7 as well, so the graph is about log2(packages) deep.
// Its build.sh reads every source and the checksum of each dependency, and writes five files (about 290 kB, one of
// them large and repetitive), so that a build that should have run and did not is visible in the checksums.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { toolFiles } from "./monorepo-tool-files.mjs";

const buildScript = `#!/bin/sh
set -eu
rm -rf dist
mkdir dist
cat src/*.ts > dist/index.js
wc -l src/*.ts > dist/manifest.txt
{
  cat dist/index.js
  while read -r name; do cat "../$name/dist/sum.txt"; done < dependencies.txt
} | cksum > dist/sum.txt
head -n 60 dist/index.js > dist/index.d.ts
yes "// $(cat name.txt): a line of generated code that compresses well" | head -c 200000 > dist/vendor.js
`;

/**
 * Writes the repository to `out` (removed first) and commits it, for tools that ask git.
 * @returns the names of its packages, in an order in which dependencies come first.
 */
export function generateMonorepo({ out, packages, files, tool = "none", nodeModules }) {
  const names = Array.from({ length: packages }, (_, index) => packageName(index));
  const graph = names.map((name, index) => ({
    name,
    dependencies: dependencyIndexes(index).map((dependency) => names[dependency]),
  }));
  rmSync(out, { recursive: true, force: true });
  write(out, ".gitignore", "dist\nnode_modules\n.turbo\n.nx\n");
  for (const [index, project] of graph.entries()) writePackage(out, project, index, files);
  for (const [path, text] of Object.entries(toolFiles(tool, graph))) write(out, path, text);
  if (nodeModules) symlinkSync(resolve(nodeModules), join(out, "node_modules"));
  commit(out);
  return names;
}

function packageName(index) {
  return `pkg-${String(index + 1).padStart(3, "0")}`;
}

function dependencyIndexes(index) {
  const parent = index > 0 ? [(index - 1) >> 1] : [];
  const far = index % 5 === 0 && index >= 7 ? [index - 7] : [];
  return [...new Set([...parent, ...far])];
}

function writePackage(out, { name, dependencies }, index, files) {
  const folder = `packages/${name}`;
  const random = generator(index + 1);
  for (let file = 0; file < files; file += 1) {
    write(
      out,
      `${folder}/src/module-${String(file + 1).padStart(2, "0")}.ts`,
      source(name, file, random),
    );
  }
  write(out, `${folder}/build.sh`, buildScript);
  write(out, `${folder}/name.txt`, `${name}\n`);
  write(
    out,
    `${folder}/dependencies.txt`,
    dependencies.map((dependency) => `${dependency}\n`).join(""),
  );
}

/** 20 to 120 lines, about 3 kB. */
function source(name, file, random) {
  const lines = [`// ${name}, module ${file + 1}`];
  const count = 20 + (random() % 101);
  for (let line = 0; line < count; line += 1) {
    lines.push(`export const value${file}_${line} = ${random()} ^ ${random() % 4096};`);
  }
  return `${lines.join("\n")}\n`;
}

/** xorshift32: small, and the same on every machine. */
function generator(seed) {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

function write(out, path, text) {
  const target = join(out, path);
  mkdirSync(join(target, ".."), { recursive: true });
  writeFileSync(target, text);
}

function commit(out) {
  const identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "gc.auto=0"];
  for (const args of [
    ["init", "-q"],
    ["add", "-A"],
    [...identity, "commit", "-qm", "generated"],
  ]) {
    const result = spawnSync("git", args, { cwd: out, encoding: "utf8" });
    if (result.status !== 0)
      throw new Error(`cannot commit ${out}: git ${args[0]}: ${result.stderr}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      packages: { type: "string", default: "200" },
      files: { type: "string", default: "25" },
      tool: { type: "string", default: "none" },
      nm: { type: "string" },
    },
  });
  if (!values.out) throw new Error("--out DIR is missing");
  generateMonorepo({
    out: resolve(values.out),
    packages: Number(values.packages),
    files: Number(values.files),
    tool: values.tool,
    nodeModules: values.nm,
  });
}
