import { normalizeProject, type Project } from "@cuenv/config";
import { disposeEvaluator, evaluate, type EvaluateResult } from "@cuenv/cue";
import { CuenvError, type Location } from "@cuenv/errors";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { FileMigration } from "./plan-migration.ts";

export interface CheckMigrationOptions {
  readonly evaluated: EvaluateResult;
  readonly project: Project;
  /** Absolute. */
  readonly projectDirectory: string;
  readonly workspaceRoot: string;
  readonly packageName: string | undefined;
  readonly environment: string | undefined;
  readonly changes: readonly FileMigration[];
}

/**
 * Evaluates a copy of the package with the changes in it, and compares what it means with what it meant.
 * @throws {CuenvError} CONFIG_MIGRATION when it does not evaluate, or means something else
 */
export async function checkMigration(options: CheckMigrationOptions): Promise<void> {
  const { workspaceRoot, projectDirectory, packageName, environment } = options;
  const copy = realpathSync(mkdtempSync(join(tmpdir(), "cuenv-migrate-")));
  try {
    const base = commonFolder(options);
    writeCopy(copy, base, options);
    const directory = join(copy, relative(base, projectDirectory));
    const { evaluation } = await evaluate({ directory, packageName });
    const project = normalizeProject(evaluation, {
      projectDirectory: relative(workspaceRoot, projectDirectory).split("\\").join("/"),
      workspaceRoot: join(copy, relative(base, workspaceRoot)),
      environment,
    });
    const [before, after] = [meaningOf(options.project), meaningOf(project)];
    for (const name of Object.keys(before.tasks))
      if (!isDeepStrictEqual(before.tasks[name], after.tasks[name]))
        throw notTheSame(`task ${name} would change`, options.project.tasks[name]?.location);
    if (!isDeepStrictEqual(before, after)) throw notTheSame("`config` would change", undefined);
  } catch (error) {
    if (!(error instanceof CuenvError) || error.code === "CONFIG_MIGRATION") throw error;
    // Lines of the copy are not those of the file: what is rewritten may have another number of them.
    const { file } = error.location ?? {};
    const place = file?.startsWith(copy + sep)
      ? { file: join(commonFolder(options), relative(copy, file)) }
      : undefined;
    throw notTheSame(error.message.replaceAll(copy, ""), place, error);
  } finally {
    await disposeEvaluator();
    rmSync(copy, { recursive: true, force: true });
  }
}

function notTheSame(reason: string, location: Location | undefined, cause?: unknown): CuenvError {
  return new CuenvError("CONFIG_MIGRATION", `cannot rewrite the configuration: ${reason}`, {
    cause,
    ...(location === undefined ? {} : { location }),
    hint: "nothing was written; change these forms by hand, as cuenv cache validate says, or report this as a bug",
  });
}

/** The folder that holds all files of the evaluation. */
function commonFolder({ evaluated, workspaceRoot }: CheckMigrationOptions): string {
  const holds = (folder: string, path: string): boolean =>
    path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
  let folder = workspaceRoot;
  for (const { path } of evaluated.inputs.filter(({ kind }) => kind === "file"))
    while (!holds(folder, path)) folder = dirname(folder);
  return folder;
}

function writeCopy(
  copy: string,
  base: string,
  { evaluated, changes, projectDirectory }: CheckMigrationOptions,
): void {
  mkdirSync(join(copy, relative(base, projectDirectory)), { recursive: true });
  for (const input of evaluated.inputs) {
    if (input.kind !== "file" && input.kind !== "present" && input.kind !== "directory") continue;
    const target = resolve(copy, relative(base, input.path));
    if (!target.startsWith(copy + sep)) continue;
    if (input.kind === "directory" || (input.kind === "present" && input.isDirectory)) {
      mkdirSync(target, { recursive: true });
      continue;
    }
    mkdirSync(dirname(target), { recursive: true });
    const change = changes.find(({ path }) => path === input.path);
    writeFileSync(target, change?.after ?? readFileSync(input.path));
  }
}

/** All that a run takes from a project, without places and warnings. A mode of read-write narrows nothing, so it is none. */
export function meaningOf(project: Project): { readonly tasks: Readonly<Record<string, unknown>> } {
  const text = JSON.stringify({ ...project, warnings: [] }, (key, value: unknown) =>
    key === "location" || (key === "mode" && value === "read-write") ? undefined : value,
  );
  return JSON.parse(text) as { tasks: Record<string, unknown> };
}
