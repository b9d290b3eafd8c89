import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { generateMonorepo } from "../../tools/generate-monorepo.mjs";
import { preparePlainProject } from "../../tools/prepare-plain-project.mjs";
import { root } from "../../tools/workspace.mjs";
import { workFolder } from "./work-folder.mjs";
import { setAside } from "./set-aside.mjs";
import { plainProjectFiles } from "./plain-project-files.mjs";

/**
 * A project to measure on. `create(peer)` makes the peer's copy and gives its folder; `deleteOutputs` and
 * `changeFile` bring it into a state; `times` gives a number per output that any write changes, whichever tool wrote.
 */
export function monorepo(packages, files) {
  const inPackages = (folder) => readdirSync(join(folder, "packages")).toSorted();
  return {
    name: `monorepo ${packages}×${files}`,
    outputs: packages,
    afterChange: 1,
    create(peer) {
      const out = join(workFolder, `monorepo-${packages}x${files}`, slug(peer));
      // Thousands of deletions just before are what would be measured (see set-aside.mjs).
      setAside(out);
      generateMonorepo({ out, packages, files, tool: peer.tool, nodeModules: peer.nodeModules });
      return out;
    },
    times: (folder) =>
      inPackages(folder).map((name) =>
        changeTime(join(folder, "packages", name, "dist", "sum.txt")),
      ),
    deleteOutputs(folder) {
      for (const name of inPackages(folder)) setAside(join(folder, "packages", name, "dist"));
    },
    /** The last package: nothing depends on it. */
    changeFile(folder) {
      appendChange(join(folder, "packages", inPackages(folder).at(-1), "src", "module-01.ts"));
    },
  };
}

export function plainProject() {
  const outputs = ["dist/index.js", "bundle/zod.js", "report/size.json"];
  return {
    name: "examples/plain-project",
    outputs: outputs.length,
    afterChange: 0,
    create(peer) {
      const folder = join(workFolder, "plain-project", slug(peer));
      preparePlainProject(folder);
      for (const [file, text] of Object.entries(plainProjectFiles(peer.tool))) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        writeFileSync(join(folder, file), text);
      }
      if (peer.nodeModules) linkTool(folder, peer.nodeModules);
      spawnSync("git", ["add", "-A"], { cwd: folder });
      return folder;
    },
    times: (folder) => outputs.map((file) => changeTime(join(folder, file))),
    deleteOutputs(folder) {
      for (const file of outputs) setAside(join(folder, dirname(file)));
    },
    /** A test file, which one quick task reads. */
    changeFile(folder) {
      appendChange(join(folder, "test", "package.test.mjs"));
    },
  };
}

/** nx must be found in the project's own node_modules, beside the tools of the example. */
function linkTool(folder, nodeModules) {
  const own = join(folder, "node_modules");
  const tools = join(root, "examples", "plain-project", "node_modules");
  rmSync(own);
  mkdirSync(own);
  for (const name of readdirSync(tools)) symlinkSync(join(tools, name), join(own, name));
  for (const name of readdirSync(nodeModules)) {
    if (!existsSync(join(own, name))) symlinkSync(join(nodeModules, name), join(own, name));
  }
}

function slug(peer) {
  return peer.name.replaceAll(/[^a-z]+/g, "-");
}

function changeTime(file) {
  return statSync(file, { throwIfNoEntry: false })?.ctimeMs;
}

/** Another text each time, so that no earlier result fits. */
function appendChange(file) {
  appendFileSync(file, `// changed at ${process.hrtime.bigint()}\n`);
}
