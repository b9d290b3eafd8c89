import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ignoredPatterns } from "@cuenv/cache/explanation";
import { findWorkspaceRoot, settingsPaths, type Warning } from "@cuenv/config";
import type { WrittenProject } from "@cuenv/config/migration";
import type { FileIndex } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { chosenEnvironment } from "../command-line/given.ts";
import {
  isUnknownEnvironment,
  openProject,
  type OpenOptions,
  type OpenProject,
} from "../project/open-project.ts";
import { type ErrorDocument, errorDocument } from "../report/report-error.ts";
import { type InspectedTask, inspectedTasks } from "./inspected-task.ts";

/** One project of `cuenv inspect --json`. */
export interface InspectedProject {
  /** Absolute. */
  readonly directory: string;
  /** Absolute: what `//` in patterns stands for. */
  readonly workspaceRoot: string;
  readonly name: string | null;
  readonly tasks: readonly InspectedTask[];
  /** That under which the tasks are as they are; null: none was asked for, or the project does not have it. */
  readonly environment: string | null;
  /** Names of `env.environment`, each with the definition of every command under it. */
  readonly environments: readonly {
    readonly name: string;
    readonly definitions: Readonly<Record<string, string>>;
  }[];
  readonly warnings: readonly WarningDocument[];
  /** Absolute paths of all files and folders that this depended on, those among them that are not there, too. */
  readonly read: readonly string[];
  /** Why there are no tasks; `name` and `writtenTasks` are then those that stand in env.cue, as far as they can be told. */
  readonly error: ErrorDocument | null;
  readonly writtenTasks?: readonly string[];
}

interface WarningDocument {
  readonly message: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
}

/** Never throws for what is wrong with the project: that is its `error`. @param indexOf the files of a workspace, one for all its projects */
export async function inspectProject(
  invocation: Invocation,
  directory: string,
  indexOf: (root: string) => FileIndex,
): Promise<InspectedProject> {
  const workspaceRoot = findWorkspaceRoot(directory);
  const place = { projectDirectory: directory, workspaceRoot, environment: process.env };
  const read = new Set<string>(settingsPaths(place));
  try {
    const { open, environment } = await openLeniently(invocation, {
      directory,
      keepsEvaluator: true,
      onInputs: (inputs) => {
        for (const { path } of inputs) read.add(path);
      },
    });
    const ignoredOf = (patterns: readonly string[]): readonly string[] =>
      ignoredPatterns({
        index: indexOf(workspaceRoot),
        projectDirectory: open.projectPath,
        patterns,
        onIgnoreFile: (path) => read.add(join(workspaceRoot, path)),
      });
    return {
      directory,
      workspaceRoot,
      name: open.project.name ?? null,
      tasks: inspectedTasks(open, ignoredOf),
      environment,
      environments: await inspectedEnvironments(invocation, open),
      warnings: open.project.warnings.map(warningDocument),
      read: [...read],
      error: null,
    };
  } catch (error) {
    if (!(error instanceof CuenvError)) throw error;
    const written = await writtenIn(join(directory, "env.cue"));
    return {
      directory,
      workspaceRoot,
      name: written?.name ?? null,
      tasks: [],
      environment: null,
      environments: [],
      warnings: [],
      read: [...read],
      error: errorDocument(error),
      writtenTasks: written?.tasks ?? [],
    };
  }
}

/** With `--env-if-known` a project without the environment is opened without one: of many projects some have it. */
async function openLeniently(
  invocation: Invocation,
  options: OpenOptions,
): Promise<{ readonly open: OpenProject; readonly environment: string | null }> {
  const asked = chosenEnvironment(invocation) ?? null;
  try {
    return { open: await openProject(invocation, options), environment: asked };
  } catch (error) {
    const isLenient = invocation.flags["env-if-known"] === true;
    if (!isLenient || !isUnknownEnvironment(error)) throw error;
    const open = await openProject(invocation, { ...options, environment: null });
    return { open, environment: null };
  }
}

async function inspectedEnvironments(
  invocation: Invocation,
  { project, projectDirectory }: OpenProject,
): Promise<InspectedProject["environments"]> {
  const found: InspectedProject["environments"][number][] = [];
  for (const environment of project.environments) {
    const open = await openProject(invocation, {
      directory: projectDirectory,
      environment,
      keepsEvaluator: true,
    });
    const definitions = inspectedTasks(open, () => []).flatMap((task) =>
      task.kind === "command" ? [[task.name, task.definition] as const] : [],
    );
    found.push({ name: environment, definitions: Object.fromEntries(definitions) });
  }
  return found;
}

function warningDocument({ message, location }: Warning): WarningDocument {
  const { file = null, line = null, column = null } = location ?? {};
  return { message, file, line, column };
}

async function writtenIn(file: string): Promise<WrittenProject | undefined> {
  const { writtenProject } = await import("@cuenv/config/migration");
  try {
    // Reading a FIFO would wait for a writer.
    return statSync(file).isFile() ? writtenProject(readFileSync(file, "utf8")) : undefined;
  } catch {
    return undefined;
  }
}
