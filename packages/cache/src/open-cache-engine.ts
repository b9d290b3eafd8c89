import { createActionCache, createDiskActionStore } from "@cuenv/action-cache";
import { createDiskBlobStore, openCacheFolder } from "@cuenv/cas";
import type { CacheSettings } from "@cuenv/config";
import { createFileIndex, type FileIndex } from "@cuenv/digest";
import { createInputMemo, type InputMemo, selectInputs, type SelectionRequest } from "@cuenv/key";
import { relative } from "node:path";
import type { CacheEngine } from "./cache-engine.ts";
import type { CacheEvent } from "./cache-event.ts";
import { openLastResults } from "./last-results.ts";
import {
  appendRunRecord,
  createRunCounter,
  removeOldStatistics,
  type RunRecord,
} from "./run-statistics.ts";
import { openToolProbe } from "./tool-probe.ts";
import { readState, workspaceState, writeState } from "./workspace-state.ts";

export interface OpenCacheEngineOptions {
  readonly settings: CacheSettings;
  /** Absolute. */
  readonly workspaceRoot: string;
  /** The project's folder, relative to the workspace root. */
  readonly projectPath: string;
  /** Of cuenv, for entries. */
  readonly version: string;
  /** No task of this run stores anything: nothing at all is written to the cache folder. */
  readonly readOnly: boolean;
  readonly onEvent?: (event: CacheEvent) => void;
  readonly now?: () => number;
}

export interface OpenedCacheEngine {
  readonly engine: CacheEngine;
  /** Keeps what was learnt for the next run, and the run's counts; evicts when limits ask for it. Never throws. */
  readonly close: () => Promise<RunRecord>;
}

/** Opens the cache for the tasks of one project. Nothing is read or made on disk before it is needed. */
export function openCacheEngine(options: OpenCacheEngineOptions): OpenedCacheEngine {
  const { settings, workspaceRoot, projectPath, readOnly, now = Date.now } = options;
  const counter = createRunCounter(now);
  const emit = (event: CacheEvent): void => {
    counter.count(event);
    options.onEvent?.(event);
  };
  const state = workspaceState(settings.cacheDir, workspaceRoot);
  const folder = openCacheFolder({
    root: settings.cacheDir,
    durability: settings.durability,
    readOnly,
    now,
    onWarning: (message) => emit({ type: "trouble", task: undefined, cause: "folder", message }),
  });
  const { digestFunction, namespace } = settings;
  const blobs = createDiskBlobStore({ folder, digestFunction });
  const actions = createActionCache({
    actions: createDiskActionStore({ folder, digestFunction }),
    blobs,
    namespace,
    now,
  });
  const index = createFileIndex({
    root: workspaceRoot,
    digestFunction,
    stateFile: state.files,
    now,
  });
  const inputMemo = createInputMemo(readState(state.inputs));
  const lastResults = openLastResults(state.lastResults);
  const tools = openToolProbe({
    stateFile: state.tools,
    directory: `${workspaceRoot}/${projectPath}`,
  });
  const engine: CacheEngine = {
    settings,
    workspaceRoot,
    projectPath,
    index,
    blobs,
    actions,
    folder,
    lastResults,
    tools,
    tier: "disk",
    excludedPaths: excludedPaths(workspaceRoot, settings.cacheDir),
    spoolDirectory: `${settings.cacheDir}/v1/tmp/spool`,
    version: options.version,
    now,
    emit,
    select: (request) => select(index, inputMemo, request),
    inputMemo,
    taskId: (task) => `${projectPath}#${task.name}`,
  };
  const close = async (): Promise<RunRecord> => {
    const record = counter.record();
    if (readOnly) return record;
    index.save();
    const text = inputMemo.serialize();
    if (text !== undefined) writeState(state.inputs, text);
    lastResults.save();
    tools.save();
    folder.saveUses();
    appendRunRecord(settings.cacheDir, record);
    if (record.stored > 0) {
      removeOldStatistics(settings.cacheDir, settings.statsRetentionDays, now());
      const { keepWithinLimits } = await import("./maintenance.ts");
      await keepWithinLimits(folder, settings);
    }
    return record;
  };
  return { engine, close };
}

function select(index: FileIndex, memo: InputMemo, request: SelectionRequest): readonly string[] {
  const remembered = memo.reuse(request);
  if (remembered !== undefined) return remembered.files;
  const selection = selectInputs({ ...request, index });
  memo.remember(request, selection);
  return selection.files;
}

/** A cache folder inside the workspace is nobody's input. */
function excludedPaths(workspaceRoot: string, cacheDirectory: string): readonly string[] {
  const path = relative(workspaceRoot, cacheDirectory).split("\\").join("/");
  return path === "" || path.startsWith("../") || path === ".." || path.startsWith("/")
    ? []
    : [path];
}
