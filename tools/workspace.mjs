import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** The packages and apps of the workspace, with their manifests, by folder. */
export function workspacePackages() {
  return ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group))
      .toSorted()
      .map((name) => `${group}/${name}`)
      .filter((folder) => existsSync(join(root, folder, "package.json")))
      .map((folder) => ({
        folder,
        manifest: JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")),
      })),
  );
}

/** Paths below `folder`, relative to the workspace root, dist and node_modules left out, sorted. */
export function filesBelow(folder, accept) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        return /^(node_modules|dist|\.cache|\.git)$/.test(entry.name)
          ? []
          : filesBelow(path, accept);
      }
      return accept(entry.name) ? [path] : [];
    });
}

/** Prints the problems, one per line, and makes the process fail if there are any. */
export function report(problems) {
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
}
