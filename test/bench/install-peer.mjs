import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "../../tools/workspace.mjs";
import { workFolder } from "./work-folder.mjs";

/** Installs one version of a package beside the repository, never in its lockfile, and gives its node_modules. */
export function installPeer(name, version, ...flags) {
  const folder = join(workFolder, `${name}-install`);
  const modules = join(folder, "node_modules");
  if (existsSync(join(modules, name, "package.json"))) return modules;
  process.stderr.write(`Installing ${name} ${version} into .cache/bench …\n`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "package.json"),
    '{"name":"bench","version":"0.0.0","private":true}\n',
  );
  const args = ["add", "--ignore-workspace", "--ignore-scripts", ...flags, "-E"];
  // With the environment as it is: behind a proxy, certificates come from it. The repository's own pnpm: who runs the file by itself may have none.
  const result = spawnSync(
    join(root, "node_modules", ".bin", "pnpm"),
    [...args, `${name}@${version}`],
    {
      cwd: folder,
      encoding: "utf8",
      timeout: 300_000,
    },
  );
  if (result.status !== 0)
    throw new Error(
      `cannot install ${name}: ${result.error ?? `${result.stdout}${result.stderr}`}`,
    );
  return modules;
}
