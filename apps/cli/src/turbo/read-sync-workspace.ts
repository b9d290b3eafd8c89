import { join, posix, relative, sep } from "node:path";
import { ignoredPatterns } from "@cuenv/cache/explanation";
import { createFileIndex, type FileIndex } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import {
  findWorkspacePackages,
  type FoundPackage,
  type SyncNote,
  type SyncPackage,
  type SyncWorkspace,
} from "@cuenv/turbo/sync";
import type { Invocation } from "../command-line/command.ts";
import { inspectedTasks } from "../inspect/inspected-task.ts";
import { openProject } from "../project/open-project.ts";

/**
 * The packages of a workspace with what their env.cue says.
 * @throws {CuenvError} PROJECT_NOT_FOUND when none has one; what is wrong with one
 */
export async function readSyncWorkspace(
  invocation: Invocation,
  root: string,
): Promise<{ readonly workspace: SyncWorkspace; readonly notes: readonly SyncNote[] }> {
  const { packages: found, strays } = findWorkspacePackages(root);
  if (!found.some(({ hasEnvCue }) => hasEnvCue))
    throw new CuenvError("PROJECT_NOT_FOUND", `cannot find a package with an env.cue in ${root}`, {
      hint: "cuenv init, in the folder of a package, writes one from package.json and turbo.json.",
    });
  const packages: SyncPackage[] = [];
  const indexes = new Map<string, FileIndex>();
  let rootRuntime: readonly string[] = [];
  for (const place of found) {
    if (!place.hasEnvCue) continue;
    const { runtime, ...read } = await readPackage(invocation, { root, place, indexes });
    packages.push(read);
    if (place.path === "") rootRuntime = runtime;
  }
  const notes = strays.map((path) => ({
    file: `${path}/env.cue`,
    line: null,
    task: null,
    message: "left out: the folder is no package of the workspace, so turbo does not know it",
  }));
  const others = found.filter((each) => !each.hasEnvCue);
  return { workspace: { packages, others, runtime: rootRuntime }, notes };
}

async function readPackage(
  invocation: Invocation,
  {
    root,
    place,
    indexes,
  }: {
    readonly root: string;
    readonly place: FoundPackage;
    readonly indexes: Map<string, FileIndex>;
  },
): Promise<SyncPackage & Pick<SyncWorkspace, "runtime">> {
  const cueFiles = new Set<string>();
  const open = await openProject(invocation, {
    directory: join(root, place.path),
    keepsEvaluator: true,
    onInputs: (inputs) => {
      for (const { kind, path } of inputs)
        if (kind === "file" && path.endsWith(".cue")) cueFiles.add(fromRoot(root, path));
    },
  });
  const { workspaceRoot } = open;
  const index =
    indexes.get(workspaceRoot) ??
    createFileIndex({ root: workspaceRoot, digestFunction: "sha256", stateFile: undefined });
  indexes.set(workspaceRoot, index);
  const tasks = inspectedTasks(open, () => []);
  const outputs = tasks.flatMap((task) => (task.kind === "command" ? (task.outputs ?? []) : []));
  const patterns = outputs.filter((output) => !output.startsWith("!"));
  const cuenvRoot = fromRoot(root, workspaceRoot);
  return {
    name: place.name,
    path: place.path,
    scripts: place.scripts,
    tasks,
    runtime: open.cache.settings.runtime,
    cuenvRoot: isOutside(cuenvRoot) ? "" : cuenvRoot,
    rootInCuenv: isOutside(cuenvRoot) ? fromRoot(workspaceRoot, root) : "",
    cueFiles: [...cueFiles].filter((file) => !isOutside(file)).toSorted(),
    ignoredOutputs:
      patterns.length === 0
        ? []
        : ignoredPatterns({
            index,
            projectDirectory: open.projectPath,
            patterns,
            onIgnoreFile: () => {},
          }),
    hasEnvironments: open.project.environments.length > 0,
  };
}

function fromRoot(root: string, path: string): string {
  return relative(root, path).split(sep).join(posix.sep);
}

function isOutside(path: string): boolean {
  return path === ".." || path.startsWith("../");
}
