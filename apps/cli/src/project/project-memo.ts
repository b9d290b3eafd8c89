import { createHmac, hash } from "node:crypto";
import type { Project } from "@cuenv/config";
import { readMemoFile, replaceFile } from "@cuenv/digest";
import { buildId } from "../build-id.ts";
import { cuenvVersion } from "../version.ts";

/** More than any project has (256 MiB). */
const maxMemoBytes = 256 * 1024 * 1024;

/** All that a normalised project is made of. */
export interface ProjectMemoKey {
  /** The evaluator's answer. */
  readonly answer: string;
  readonly memoDirectory: string;
  readonly directory: string;
  readonly workspaceRoot: string;
  readonly packageName: string | undefined;
  readonly environment: string | undefined;
  /** A secret of this machine, as `MemoKey.seal`. */
  readonly seal: Uint8Array | undefined;
}

/**
 * The project that was made of this answer before, by this build of cuenv. A file has two lines: the hash of what the project
 * was made of and of the second line, then the project as JSON. Of each version of cuenv, folder, package and environment the last one is kept.
 */
export function recallProject(key: ProjectMemoKey): Project | undefined {
  if (buildId === undefined) return undefined;
  try {
    const text = readMemoFile(memoFile(key), maxMemoBytes)?.toString("utf8") ?? "";
    const body = text.slice(65);
    return text.slice(0, 64) === identity(key, body) ? (JSON.parse(body) as Project) : undefined;
  } catch {
    return undefined;
  }
}

/** Never throws: without it the next run is slower, nothing else. */
export function rememberProject(key: ProjectMemoKey, project: Project): void {
  if (buildId === undefined) return;
  const body = JSON.stringify(project);
  replaceFile(memoFile(key), `${identity(key, body)}\n${body}`);
}

function memoFile(key: ProjectMemoKey): string {
  const { directory, packageName = null, environment = null } = key;
  const name = JSON.stringify([cuenvVersion(), directory, packageName, environment]);
  return `${key.memoDirectory}/projects/${hash("sha256", name, "hex").slice(0, 32)}.json`;
}

function identity(key: ProjectMemoKey, body: string): string {
  const { answer, directory, workspaceRoot, environment, seal } = key;
  const parts = [
    buildId,
    directory,
    workspaceRoot,
    environment ?? null,
    hash("sha256", answer, "hex"),
    hash("sha256", body, "hex"),
  ];
  const text = JSON.stringify(parts);
  return seal === undefined
    ? hash("sha256", text, "hex")
    : createHmac("sha256", seal).update(text).digest("hex");
}
