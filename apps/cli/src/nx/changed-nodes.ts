import type { RecordedRun } from "./recorded-runs.ts";

/** Something that Nx hashes of a task, and that is not what it was in the run before. */
export interface ChangedNode {
  /** As Nx calls it. */
  readonly name: string;
  readonly text: string;
}

/** What made the hash of a run another than that of the run before, in the words of people; what says most first. */
export function changedNodes(before: RecordedRun, after: RecordedRun): readonly ChangedNode[] {
  const names = new Set([...Object.keys(after.nodes), ...Object.keys(before.nodes)]);
  const changed = [...names].filter((name) => before.nodes[name] !== after.nodes[name]);
  return changed
    .map((name) => ({ name, ...told(name) }))
    .toSorted((left, right) => left.rank - right.rank || (left.text < right.text ? -1 : 1))
    .map(({ name, text }) => ({ name, text }));
}

/** Nx names what it hashes by what it is: `env:CI`, `app:packages/app/src/**`, `runtime:node --version` … */
function told(name: string): { readonly rank: number; readonly text: string } {
  const [kind = "", ...rest] = name.split(":");
  const value = rest.join(":");
  if (kind === "env") return { rank: 1, text: `variable ${value} changed` };
  if (kind === "runtime") return { rank: 2, text: `what \`${value}\` prints changed` };
  if (kind === "AllExternalDependencies" || kind === "npm")
    return { rank: 3, text: `${value === "" ? "the lockfile" : value} changed` };
  if (value === "ProjectConfiguration")
    return {
      rank: 4,
      text: `the targets of ${kind} changed (env.cue, project.json, package.json)`,
    };
  if (value === "TsConfig") return { rank: 5, text: "the tsconfig.json of the root changed" };
  if (kind === "workspace" && value.includes("{workspaceRoot}/nx.json"))
    return { rank: 5, text: "nx.json, .gitignore or .nxignore changed" };
  if (kind === "workspace" || kind === "files")
    return {
      rank: 0,
      text: `files changed: ${value.replace(/^\[|\]$/g, "").replaceAll("{workspaceRoot}/", "")}`,
    };
  // The pattern of dependentTasksOutputFiles, and a folder that it was looked for in.
  if (/[*?]/.test(kind)) return { rank: 6, text: `what a dependency made changed: ${value}` };
  return { rank: 0, text: `files of ${kind} changed: ${value}` };
}
