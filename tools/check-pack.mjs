// Packs every public package as it would be published and looks at the tarballs: only what users need, no trace
// of the workspace, manifests and types that resolve.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { report, root, workspacePackages } from "./workspace.mjs";

const target = join(root, ".cache", "pack");
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const publicPackages = workspacePackages().filter(({ manifest }) => !manifest.private);
for (const { folder } of publicPackages) removeOrphans(folder);
run("tsc", ["-b", "tsconfig.build.json"], root);
report(publicPackages.flatMap(packageProblems));

/** tsc never removes what it made of a source that is gone; it would be published. */
function removeOrphans(folder) {
  const dist = join(root, folder, "dist");
  if (folder.startsWith("apps/") || !existsSync(dist)) return;
  for (const file of readdirSync(dist, { recursive: true })) {
    const source = file.replace(/(?:\.d\.ts|\.js)(?:\.map)?$/, "");
    const kept = source === file || existsSync(join(root, folder, "src", `${source}.ts`));
    if (!kept) rmSync(join(dist, file));
  }
}

function packageProblems({ folder, manifest }) {
  const packed = run("pnpm", ["pack", "--json", "--pack-destination", target], join(root, folder));
  const tarball = JSON.parse(packed).filename;
  const files = run("tar", ["-tzf", tarball], root).trim().split("\n");
  const published = JSON.parse(run("tar", ["-xzOf", tarball, "package/package.json"], root));
  return [
    ...files.filter(isStray).map((file) => `${manifest.name}: publishes ${file}`),
    ...leaks(published).map((leak) => `${manifest.name}: its published package.json has ${leak}`),
    ...missingTargets(published, files).map(
      (path) => `${manifest.name}: names ${path}, which is not in the tarball`,
    ),
    ...toolProblems(manifest.name, "publint", ["--strict", tarball]),
    // Where nothing can be imported, attw finds nothing to look at and fails.
    ...(published.exports
      ? toolProblems(manifest.name, "attw", ["-q", "--profile", "esm-only", tarball])
      : []),
  ];
}

function isStray(file) {
  return /\.test\.|tsbuildinfo|^package\/(?:src|test|go)\/|node_modules|\/\.built$|\.env$/.test(
    file,
  );
}

function leaks(published) {
  const text = JSON.stringify(published);
  return ["workspace:", "@cuenv/source", "cuenv-dev"].filter((trace) => text.includes(trace));
}

function missingTargets(published, files) {
  const paths = [];
  const collect = (value) => {
    if (typeof value === "string") paths.push(value);
    else for (const inner of Object.values(value ?? {})) collect(inner);
  };
  collect(published.exports);
  collect(published.bin);
  return paths.filter((path) => !files.includes(`package/${path.replace(/^\.\//, "")}`));
}

function toolProblems(name, tool, args) {
  const result = spawnSync(tool, args, { cwd: root, encoding: "utf8" });
  return result.status === 0 ? [] : [`${name}: ${tool} found:\n${result.stdout}${result.stderr}`];
}

function run(program, args, cwd) {
  const result = spawnSync(program, args, { cwd, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (result.status === 0) return result.stdout;
  process.stderr.write(
    `${program} ${args.join(" ")} failed in ${cwd}:\n${result.stdout}${result.stderr}\n`,
  );
  return process.exit(1);
}
