import { parentOf, stagingPrefix } from "@cuenv/cas";
import type { CommandTask } from "@cuenv/config";
import { createFileIndex, type FileIndex } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { hashInputFiles, type Selection, selectInputs, type SelectionRequest } from "@cuenv/key";
import { withoutRefusedFolders } from "./refused-folders.ts";

/** A file that tasks read, and what is in it. */
export interface WatchedFile {
  /** Equal as long as content, exec bit and kind are, and whose input it is: by a `.gitignore`, a file of one task becomes one of another, too. */
  readonly identity: string;
  /** A task names it, or a pattern of a task matches it: it is not only one of all files of the project. */
  readonly isDeclared: boolean;
}

/** The inputs of some tasks at one moment. */
export interface WatchedInputs {
  /** By path, from the workspace root. */
  readonly files: ReadonlyMap<string, WatchedFile>;
  /** Folders, from the workspace root ("" is that), in which something would have to happen for the inputs to change. */
  readonly folders: ReadonlySet<string>;
}

export interface WatchedInputsOptions {
  /** Absolute. */
  readonly workspaceRoot: string;
  /** The project's folder, relative to the workspace root. */
  readonly projectPath: string;
  readonly tasks: readonly CommandTask[];
  /** Paths in the workspace that are nobody's input: the cache folder. */
  readonly excludedPaths: readonly string[];
}

/**
 * Looks at the inputs of tasks, again and again: those that are declared, or all files of the project, whether the tasks are cached or not. Outputs of any of
 * the tasks are no inputs here. Content that was hashed is not read again while its stat is the same.
 * @throws {CuenvError} KEY_GLOB_INVALID
 */
export function createInputLook(options: WatchedInputsOptions): () => WatchedInputs {
  const index = withoutRefusedFolders(
    createFileIndex({
      root: options.workspaceRoot,
      digestFunction: "sha256",
      stateFile: undefined,
    }),
  );
  const requests = distinctRequests(options, index);
  const last = new Map<SelectionRequest, Selection>();
  const select = (request: SelectionRequest): Selection => {
    const selection = selectable(request) ?? last.get(request) ?? unlooked(request);
    last.set(request, selection);
    return selection;
  };
  return () => {
    index.invalidate("");
    const found = requests.map((request) => ({
      selection: select(request),
      isDeclared: request.patterns !== undefined,
    }));
    const declared = new Set<string>();
    const requesters = new Map<string, string>();
    const folders = new Set<string>();
    for (const [number, { selection, isDeclared }] of found.entries()) {
      for (const path of selection.files) {
        requesters.set(path, `${requesters.get(path) ?? ""} ${number}`);
        if (isDeclared) declared.add(path);
      }
      addFolders(folders, selection, index);
    }
    return { files: identities(index, requesters, declared), folders };
  };
}

/** Undefined: something cannot be looked at, because it changes just now, say. The run, which has no key then, says what. */
function selectable(request: SelectionRequest): Selection | undefined {
  try {
    return selectInputs(request);
  } catch (error) {
    if (error instanceof CuenvError && error.code !== "KEY_INPUT_UNREADABLE") throw error;
    return undefined;
  }
}

/** Nothing but the project's folder, in which to wait for something that can be looked at. */
function unlooked({ projectDirectory: path }: SelectionRequest): Selection {
  return { files: [], problems: [], checks: [{ kind: "path", path, found: "directory" }] };
}

/** Many tasks have the same inputs, all files of the project: these are looked for once. */
function distinctRequests(
  { projectPath, tasks, excludedPaths }: WatchedInputsOptions,
  index: FileIndex,
): readonly SelectionRequest[] {
  const excludeOutputs = [
    ...tasks.flatMap(({ outputs = [] }) =>
      outputs.length === 0 ? [] : [{ projectDirectory: projectPath, patterns: outputs }],
    ),
    { projectDirectory: "", patterns: [`${stagingPrefix}*`] },
  ];
  const requests = new Map<string, SelectionRequest>();
  for (const { inputs, cache } of tasks) {
    // Then the files do not count.
    if (cache.cacheKey !== undefined) continue;
    const lists = {
      patterns: inputs,
      extraPatterns: cache.extraInputs,
      ignorePatterns: cache.ignoreInputs,
    };
    requests.set(JSON.stringify(lists), {
      index,
      projectDirectory: projectPath,
      ...lists,
      excludeOutputs,
      excludePaths: excludedPaths,
    });
  }
  return [...requests.values()];
}

/** What a selection rests on: listings of folders, and paths that were looked for in theirs. */
function addFolders(folders: Set<string>, selection: Selection, index: FileIndex): void {
  for (const { kind, path } of selection.checks)
    addNearest(folders, kind === "listing" ? path : parentOf(path), index);
  for (const path of selection.files) addNearest(folders, parentOf(path), index);
}

/** Of a folder that is not there, the one in which it would appear. */
function addNearest(folders: Set<string>, path: string, index: FileIndex): void {
  let folder = path;
  while (folder !== "" && index.stat(folder)?.kind !== "directory") folder = parentOf(folder);
  folders.add(folder);
}

/** @param requesters the paths, each with the numbers of the selections that have it */
function identities(
  index: FileIndex,
  requesters: ReadonlyMap<string, string>,
  declared: ReadonlySet<string>,
): ReadonlyMap<string, WatchedFile> {
  const files = new Map<string, WatchedFile>();
  for (const [path, numbers] of requesters) {
    const identity = identityOf(index, path);
    if (identity === undefined) continue;
    files.set(path, { identity: `${identity}${numbers}`, isDeclared: declared.has(path) });
  }
  return files;
}

function identityOf(index: FileIndex, path: string): string | undefined {
  try {
    const [node] = hashInputFiles({ index, paths: [path] });
    if (node === undefined) return undefined;
    if (node.kind === "symlink") return `-> ${node.target}`;
    return node.kind === "file" ? `${node.digest.hash} ${node.executable}` : "directory";
  } catch {
    return "unreadable"; // it changes just now, or it is not ours to read
  }
}
