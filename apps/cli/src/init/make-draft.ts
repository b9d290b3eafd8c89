import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { findWorkspaceRoot } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import type { Draft } from "./draft.ts";
import { draftNx } from "./draft-nx.ts";
import { draftPlain } from "./draft-plain.ts";
import { draftTurbo } from "./draft-turbo.ts";
import { fitDraft } from "./fit-draft.ts";
import { fieldOf } from "./json-file.ts";
import { nearestWith, type PackageFiles, readPackageFiles } from "./package-files.ts";

export const draftOrigins = ["scripts", "turbo", "nx"] as const;
export type DraftOrigin = (typeof draftOrigins)[number];

/**
 * What the files in `directory` and above it say, as tasks of cuenv. `from` chooses where there are several.
 * @throws {CuenvError} INIT_NOTHING_FOUND, CONFIG_FILE
 */
export function makeDraft(directory: string, from: DraftOrigin | undefined): Draft {
  const workspaceRoot = findWorkspaceRoot(directory);
  const files = readPackageFiles(directory, workspaceRoot);
  const draft = draftFrom(files, from);
  if (draft.tasks.length === 0)
    throw nothingFound(directory, nothingIn(draft), withoutTasks(files, draft));
  const projectPath = relative(workspaceRoot, directory).split("\\").join("/");
  return fitDraft(draft, { projectPath, workspaceRoot });
}

function draftFrom(files: PackageFiles, from: DraftOrigin | undefined): Draft {
  const { directory, manifest } = files;
  // A turbo.json that extends another is a package's own.
  const turbo = nearestWith(
    directory,
    "turbo.json",
    (file) => fieldOf(file, "extends") === undefined,
  );
  const nx = nearestWith(directory, "nx.json");
  const hasProject = existsSync(join(directory, "project.json"));
  const chosen =
    from ??
    (turbo !== undefined && manifest !== undefined ? "turbo" : nx === undefined ? "scripts" : "nx");
  if (chosen === "turbo") {
    if (turbo === undefined)
      throw nothingFound(directory, "no turbo.json here or above", otherOrigin(manifest));
    if (manifest === undefined) throw nothingFound(directory, "no package.json");
    return withOther(draftTurbo(files, turbo), from, nx === undefined ? undefined : "nx");
  }
  if (chosen === "nx") {
    if (nx === undefined)
      throw nothingFound(directory, "no nx.json here or above", otherOrigin(manifest));
    if (manifest === undefined && !hasProject)
      throw nothingFound(directory, "neither project.json nor package.json");
    return draftNx(files, nx);
  }
  if (manifest === undefined) throw nothingFound(directory, "no package.json");
  return draftPlain(files);
}

function withOther(draft: Draft, from: DraftOrigin | undefined, other: string | undefined): Draft {
  if (other === undefined || from !== undefined) return draft;
  const message = `there is an ${other}.json, too: cuenv init --from ${other} reads that instead`;
  return { ...draft, notes: [...draft.notes, { task: undefined, message }] };
}

function nothingIn({ sources, notes }: Draft): string {
  const leftOut = notes.map(({ message }) => `; ${message}`).join("");
  return `nothing in ${sources.join(" and ")} becomes a task${leftOut}`;
}

function withoutTasks({ manifest }: PackageFiles, { sources }: Draft): string | undefined {
  return sources.length === 1 && sources[0] === "package.json"
    ? `Add scripts to it, or begin with one line: ${oneTask}`
    : otherOrigin(manifest);
}

/** What else there is to begin with. */
function otherOrigin(manifest: unknown): string | undefined {
  return manifest === undefined
    ? undefined
    : "cuenv init --from scripts reads the scripts of the package.json that is here";
}

const oneTask = 'tasks: hello: {command: "echo hello"}';

function nothingFound(
  directory: string,
  reason: string,
  hint = `Go to a folder with a package.json, or begin with one line: ${oneTask}`,
): CuenvError {
  return new CuenvError(
    "INIT_NOTHING_FOUND",
    `cannot make an env.cue for ${directory}: ${reason}`,
    { hint },
  );
}
