// Something that users get to know of is waiting in .changeset, names packages that exist, and the release
// groups cover every public package.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { report, root, workspacePackages } from "./workspace.mjs";

const folder = join(root, ".changeset");
const names = workspacePackages()
  .filter(({ manifest }) => !manifest.private)
  .map(({ manifest }) => manifest.name);
const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
const covers = (name) =>
  config.fixed
    .flat()
    .some((glob) => glob === name || (glob.endsWith("/*") && name.startsWith(glob.slice(0, -1))));
const entries = readdirSync(folder).filter((file) => file.endsWith(".md") && file !== "README.md");
const released = readdirSync(join(root, "apps", "cli")).includes("CHANGELOG.md");

report([
  ...names
    .filter((name) => !covers(name))
    .map((name) => `.changeset/config.json: no fixed group has ${name}`),
  ...(entries.length > 0 || released
    ? []
    : [".changeset: nothing waits for the next release; run changeset add"]),
  ...entries.flatMap(entryProblems),
]);

function entryProblems(file) {
  const match = /^---\n([^]*?)\n---\n([^]+)$/.exec(readFileSync(join(folder, file), "utf8"));
  if (match === null) return [`.changeset/${file}: front matter or text is missing`];
  const unknown = [...match[1].matchAll(/^["']?([^"':]+)["']?:\s*(\w+)$/gm)].filter(
    ([, name, bump]) => !names.includes(name) || !/^(?:patch|minor|major)$/.test(bump),
  );
  return unknown.map(([line]) => `.changeset/${file}: ${line}: no such package or kind of release`);
}
