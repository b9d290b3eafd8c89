import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInputLook, excludedPaths, type WatchedInputs } from "@cuenv/cache/watch";
import { userConfigDirectory } from "@cuenv/config";
import type { EvaluationInput } from "@cuenv/cue";
import { revalidate } from "@cuenv/cue/memo";
import { CuenvError } from "@cuenv/errors";
import { type Plan, planChecked } from "@cuenv/runner";
import type { Invocation } from "../command-line/command.ts";
import { type OpenProject, openProject } from "../project/open-project.ts";
import { withoutOwnOutput } from "./without-own-output.ts";

/** A project, what of it is to run, and what that reads. */
export interface WatchedProject {
  readonly open: OpenProject;
  readonly plan: Plan;
  readonly look: () => WatchedInputs;
  /** Absolute: where the configuration could change. */
  readonly configurationFolders: ReadonlySet<string>;
  /** Equal as long as no file of the configuration was written. */
  readonly stamp: () => string;
  /** What `stamp` gave for the files as they were read; nothing that it gives when one was written while the others were read and evaluated. */
  readonly stampAsRead: string;
  /** Equal as long as the configuration says the same. */
  readonly identity: string;
}

/** @throws {CuenvError} as openProject and planChecked */
export async function openWatchedProject(
  invocation: Invocation,
  openOne: typeof openProject = openProject,
): Promise<WatchedProject> {
  let inputs: readonly EvaluationInput[] = [];
  const startedAt = Date.now();
  const open = await openOne(invocation, { onInputs: (found) => (inputs = found) });
  const plan = planChecked(open.project, { names: invocation.names, args: invocation.rest ?? [] });
  const { projectDirectory, workspaceRoot, projectPath, cache, project } = open;
  const settings = settingsFiles(open);
  const files = configurationFiles(settings, inputs);
  const folders = inputs.filter((input) => input.kind === "directory");
  const stamp = (): string =>
    [
      ...files.map(fileStamp),
      ...folders.map(({ path, entries }) => folderStamp(path, entries)),
    ].join("\n");
  // The stamp before the comparison: what is written after that is another stamp.
  const stampNow = stamp();
  const isAsRead =
    inputs.every((input) => revalidate(input) !== undefined) &&
    !settings.some((file) => isWrittenSince(file, startedAt));
  return {
    open,
    plan,
    look: withoutOwnOutput(
      createInputLook({
        workspaceRoot,
        projectPath,
        tasks: plan.nodes.map(({ task }) => task),
        excludedPaths: excludedPaths(workspaceRoot, cache.settings.cacheDir),
      }),
      workspaceRoot,
    ),
    configurationFolders: new Set([
      projectDirectory,
      ...folders.map(({ path }) => path),
      ...files.map(nearestFolder),
    ]),
    stamp,
    stampAsRead: isAsRead ? stampNow : "written while it was read",
    identity: JSON.stringify([project.tasks, project.env, cache.settings]),
  };
}

/** There or not. */
function settingsFiles({ projectDirectory, workspaceRoot }: OpenProject): readonly string[] {
  const settings = [projectDirectory, workspaceRoot].flatMap((folder) =>
    ["json", "yaml", "yml"].map((extension) => join(folder, `cuenv.cache.${extension}`)),
  );
  const user = userConfigDirectory(process.env);
  const users = ["json", "yaml", "yml"].map((extension) => join(user, `config.${extension}`));
  return [...settings, ...users];
}

/** What was evaluated, what was looked for and is not there, and the settings files. */
function configurationFiles(
  settings: readonly string[],
  inputs: readonly EvaluationInput[],
): readonly string[] {
  // Of a folder that only has to be there, times and sizes say nothing: tasks write into it.
  const read = inputs.filter(({ kind }) => kind === "file" || kind === "missing");
  return [...new Set([...read.map(({ path }) => path), ...settings])].toSorted();
}

/** How far the times of files may be behind the clock. */
const clockGrainMs = 20;

function isWrittenSince(path: string, time: number): boolean {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat !== undefined && stat.ctimeMs >= time - clockGrainMs;
  } catch {
    return false;
  }
}

function fileStamp(path: string): string {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return "";
    return stat.isFile() ? `${stat.mtimeMs} ${stat.ctimeMs} ${stat.size} ${stat.ino}` : "there";
  } catch {
    return "";
  }
}

/** The names that an evaluation looks at: others come and go as tasks run. */
function folderStamp(path: string, entries: "cue" | "all"): string {
  try {
    const names = readdirSync(path);
    const counting = names.filter((name) => name === "cue.mod" || name.endsWith(".cue"));
    return (entries === "all" ? names : counting).toSorted().join("/");
  } catch {
    return "";
  }
}

function nearestFolder(path: string): string {
  const folder = dirname(path);
  return existsSync(folder) || folder === path ? folder : nearestFolder(folder);
}

/** Whether somebody can mend it while we wait: everything that the configuration may have wrong. */
export function isMendable(error: unknown): error is CuenvError {
  return error instanceof CuenvError && error.code !== "INTERNAL";
}
