import { openCacheFolder } from "@cuenv/cas";
import { hashText, readMemoFile } from "@cuenv/digest";
import { existsSync } from "node:fs";

/**
 * Where what is remembered of one workspace lies: below the cache folder, by the digest of the workspace's path. All of
 * it speeds things up, and nothing else: any of these files can go at any moment.
 */
export interface WorkspaceState {
  readonly directory: string;
  /** The file index (files.bin). */
  readonly files: string;
  /** What a version of cuenv keeps for itself. */
  readonly ofVersion: (version: string) => VersionState;
  /** What restores put in place, and how they marked it. */
  readonly marked: string;
  /** What the tools of `runtime` printed. */
  readonly tools: string;
  /** The last stored result of each task, for telling what changed since. */
  readonly lastResults: string;
  /** Those before it: a line each. */
  readonly earlierResults: string;
  /** Which inputs tasks wrote while they ran. */
  readonly rewritten: string;
  /** Signatures that were found good. */
  readonly signatures: string;
  /** Evaluated configuration. */
  readonly evaluations: string;
  /** What the keys of tasks were made of when Nx ran them, which keeps their results itself: a folder. */
  readonly nxRuns: string;
  /** Which processes write outputs at this moment: a folder, which is not of what can be cleared. */
  readonly writers: string;
}

export interface VersionState {
  /** Which files the input patterns of a task found, and the roots of their trees. */
  readonly inputs: string;
  /** Keys of tasks, and which outputs are in place, with the numbers of what they rest on in files.bin. */
  readonly conclusions: string;
  /** What the entries hold that were used last. */
  readonly entries: string;
}

/** The version of all formats below the workspace's folder; a new one starts an empty folder. */
const stateVersion = 2;

export function workspaceState(cacheDirectory: string, workspaceRoot: string): WorkspaceState {
  const id = hashText("sha256", workspaceRoot).hash.slice(0, 32);
  const directory = `${cacheDirectory}/v1/workspaces/${stateVersion}/${id}`;
  // Two versions that are used in turn would replace each other's each time.
  const ofVersion = (version: string): VersionState => {
    const suffix = version.toLowerCase().replaceAll(/[^0-9a-z]+/g, "-");
    return {
      inputs: `${directory}/inputs-${suffix}.json`,
      conclusions: `${directory}/conclusions-${suffix}.jsonl`,
      entries: `${directory}/entries-${suffix}.jsonl`,
    };
  };
  return {
    directory,
    files: `${directory}/files.bin`,
    ofVersion,
    marked: `${directory}/marked-outputs.jsonl`,
    tools: `${directory}/tools.json`,
    lastResults: `${directory}/last-results.json`,
    earlierResults: `${directory}/earlier-results.jsonl`,
    rewritten: `${directory}/rewritten-inputs.json`,
    signatures: `${directory}/signatures.bin`,
    evaluations: `${directory}/evaluations`,
    nxRuns: `${directory}/nx-runs`,
    writers: `${cacheDirectory}/v1/writers/${id}`,
  };
}

/**
 * As {@link workspaceState}, if the cache folder may be used: what lies in a folder that others can write to is not
 * believed. `writes`: the folder is made when it is not there.
 */
export function usableWorkspaceState(
  cacheDirectory: string,
  workspaceRoot: string,
  writes: boolean,
  onWarning?: (message: string) => void,
): WorkspaceState | undefined {
  const folder = openCacheFolder({
    root: cacheDirectory,
    readOnly: !writes,
    ...(onWarning === undefined ? {} : { onWarning }),
  });
  try {
    folder.assertReadable();
  } catch {
    return undefined;
  }
  try {
    if (writes) folder.assertWritable();
  } catch {
    // A folder that can only be read may hold what earlier runs kept.
  }
  const { base } = folder.layout;
  return existsSync(base) ? workspaceState(cacheDirectory, workspaceRoot) : undefined;
}

/** More than a state file of any workspace has (256 MiB): those of half a million files have 60. */
const maxStateBytes = 256 * 1024 * 1024;

/** The text of a state file; undefined when it is not there or cannot be read. */
export function readState(path: string | undefined): string | undefined {
  return path === undefined ? undefined : readMemoFile(path, maxStateBytes)?.toString("utf8");
}
