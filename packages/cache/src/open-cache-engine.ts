import { createActionCache, createDiskActionStore, type EntryMemo } from "@cuenv/action-cache";
import { createDiskBlobStore, evictionNeed, openCacheFolder } from "@cuenv/cas";
import type { CacheSettings } from "@cuenv/config";
import { createFileIndex, type FileIndex } from "@cuenv/digest";
import { type InputMemo, selectInputs, type Selection, type SelectionRequest } from "@cuenv/key";
import { join } from "node:path";
import type { CacheEngine } from "./cache-engine.ts";
import { runProvenance } from "./run-provenance.ts";
import type { CacheEvent } from "./cache-event.ts";
import { createEntryTrust, type EntryTrust, type TrustPolicy } from "./entry-trust.ts";
import { excludedPaths } from "./excluded-paths.ts";
import { openLastResults } from "./last-results.ts";
import { openMemos, saveMemos } from "./memos.ts";
import { openEngineRemote } from "./open-engine-remote.ts";
import type { RemoteOptions } from "./remote-tier.ts";
import { withMemoryFallback } from "./memory-fallback.ts";
import { appendRunRecord, createRunCounter, type RunRecord } from "./run-statistics.ts";
import { secretSalt } from "./secret-salt.ts";
import { createOutputWriters } from "./output-writers.ts";
import { createRewrittenInputs } from "./rewritten-inputs.ts";
import { sweepLeftovers } from "./sweep-leftovers.ts";
import { usableWorkspaceState, type WorkspaceState } from "./workspace-state.ts";

export interface OpenCacheEngineOptions {
  readonly settings: CacheSettings;
  /** Whose results are used. */
  readonly trust: TrustPolicy;
  /** Absolute. */
  readonly workspaceRoot: string;
  /** The project's folder, relative to the workspace root. */
  readonly projectPath: string;
  /** Of cuenv, for entries. */
  readonly version: string;
  /** Names the code of this very build: what it concluded no other one believes. Default: the version. */
  readonly build?: string | undefined;
  /** No task of this run stores anything: nothing at all is written to the cache folder. */
  readonly readOnly: boolean;
  /** A cache on another machine, behind this one. */
  readonly remote?: RemoteOptions | undefined;
  readonly onEvent?: (event: CacheEvent) => void;
  readonly now?: () => number;
}

export interface OpenedCacheEngine {
  readonly engine: CacheEngine;
  /** A folder in which pipes may wait for the tasks of later runs; undefined where nothing may be made. */
  readonly sparePipes: string | undefined;
  /**
   * Keeps what was learnt for the next run, and the run's counts; evicts when limits ask for it. An abort ends the eviction, nothing else.
   * Never throws.
   */
  readonly close: (signal?: AbortSignal) => Promise<RunRecord>;
}

/**
 * Opens the cache for the tasks of one project. Nothing but the trust file is read or made on disk before it is needed.
 * @throws {CuenvError} TRUST_FILE_INVALID, TRUST_FILE_EXPOSED, TRUST_FILE_PLACE, TRUST_KEY_INVALID
 */
export function openCacheEngine(options: OpenCacheEngineOptions): OpenedCacheEngine {
  const { settings, workspaceRoot, projectPath, version, readOnly, now = Date.now } = options;
  const { build = version } = options;
  const projectDirectory = join(workspaceRoot, projectPath);
  const counter = createRunCounter(now, projectDirectory);
  const emit = (event: CacheEvent): void => {
    counter.count(event);
    options.onEvent?.(event);
  };
  const state = usableWorkspaceState(settings.cacheDir, workspaceRoot, !readOnly);
  const usable = state && settings.cacheDir;
  const writable = readOnly ? undefined : state;
  const trust = createEntryTrust({
    policy: options.trust,
    workspaceRoot,
    cacheDirectory: settings.cacheDir,
    namespace: settings.namespace,
    memoPath: state?.signatures,
    now,
    emit,
  });
  const index = createFileIndex({
    root: workspaceRoot,
    digestFunction: settings.digestFunction,
    stateFile: state?.files,
    seal: () => trust.seal("files"),
    now,
  });
  const memos = openMemos({ state, trust, index, version, build, readOnly, projectDirectory });
  const stores = openStores(options, trust, memos.entryMemo, emit);
  const remote = options.remote && openEngineRemote(options.remote, stores.blobs, emit);
  let provenance: Readonly<Record<string, string>> | undefined;
  const engine: CacheEngine = {
    ...stores,
    ...memos,
    remote: remote?.remote,
    upload: remote?.upload,
    verify: trust.verify,
    unacceptableSigner: trust.unacceptable,
    strangers: new Map(),
    saveSignatures: trust.saveMemo,
    settings,
    workspaceRoot,
    projectPath,
    index,
    lastResults: openLastResults(state?.lastResults, state?.earlierResults),
    excludedPaths: excludedPaths(workspaceRoot, settings.cacheDir),
    leasePath: (hash) => usable && `${usable}/v1/leases/${hash}`,
    writers: writable && createOutputWriters(writable.writers, now),
    rewrittenInputs: createRewrittenInputs(writable?.rewritten, index),
    secretSalt: () => secretSalt(usable, !readOnly, (path) => emit(occupiedSalt(path))),
    version,
    provenance: () => (provenance ??= runProvenance(workspaceRoot)),
    now,
    emit,
    select: (request) => select(index, memos.inputMemo, request),
    taskId: (task) => `${projectPath}#${task.name}`,
  };
  return {
    engine,
    sparePipes: writable && `${settings.cacheDir}/v1/pipes`,
    close: async (signal) => {
      await remote?.close(signal);
      engine.writers?.close();
      const record = counter.record();
      if (writable !== undefined) await keep(engine, writable, record, signal);
      return record;
    },
  };
}

function occupiedSalt(path: string): CacheEvent {
  const message = `tasks with secrets never hit, because a folder is in the place of ${path}: remove it, or set CUENV_SECRET_SALT`;
  return { type: "trouble", task: undefined, cause: "secretSalt", message };
}

type Stores = Pick<
  CacheEngine,
  "folder" | "blobs" | "actions" | "tier" | "isInMemory" | "spoolDirectory"
>;

function openStores(
  options: OpenCacheEngineOptions,
  trust: EntryTrust,
  entryMemo: EntryMemo,
  emit: (event: CacheEvent) => void,
): Stores {
  const { now = Date.now } = options;
  const { cacheDir, durability, digestFunction, namespace } = options.settings;
  const folder = openCacheFolder({
    root: cacheDir,
    durability,
    readOnly: options.readOnly,
    now,
    onWarning: (message) => emit({ type: "trouble", task: undefined, cause: "folder", message }),
  });
  const disk = {
    blobs: createDiskBlobStore({ folder, digestFunction }),
    actions: createDiskActionStore({ folder, digestFunction }),
  };
  const {
    blobs,
    actions: store,
    isInMemory,
  } = withMemoryFallback(disk, (reason) =>
    emit({
      type: "trouble",
      task: undefined,
      cause: "unavailable",
      message: `results are not kept: ${reason}`,
    }),
  );
  return {
    folder,
    blobs,
    actions: createActionCache({
      actions: store,
      blobs,
      namespace,
      now,
      verify: trust.verify,
      trusts: trust.trusts,
      memo: entryMemo,
      sign: trust.sign,
    }),
    tier: "disk",
    isInMemory,
    spoolDirectory: () => folder.temporaryDirectory(),
  };
}

/** Keeps what was learnt for the next run, and the counts of this one. */
async function keep(
  engine: CacheEngine,
  state: WorkspaceState,
  record: RunRecord,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { settings, folder } = engine;
  // What a task just wrote is too young to be remembered: the next run of hits looks at it again in any case, and saves it.
  engine.index.save(record.stored > 0);
  saveMemos(engine, state, engine.version);
  engine.lastResults.save();
  engine.rewrittenInputs.save();
  engine.saveSignatures();
  folder.saveUses();
  const appended = appendRunRecord(settings.cacheDir, record);
  const hasGrown = record.stored > 0 || record.fetchedBytes > 0;
  if (hasGrown) sweepLeftovers([state.directory, `${settings.cacheDir}/v1/leases`], engine.now());
  try {
    if (appended === "firstOfDay") {
      const { tidyCacheFolder } = await import("./maintenance.ts");
      tidyCacheFolder(settings, engine.now());
    }
    if (!hasGrown) return;
    const { isDue, isFull } = evictionNeed(folder, settings.maxSizeBytes);
    if (isDue || isFull) {
      const { keepWithinLimits } = await import("./maintenance.ts");
      await keepWithinLimits(folder, settings, signal);
    }
  } catch {
    // No descriptor left to load it with: the next run evicts.
  }
}

function select(index: FileIndex, memo: InputMemo, request: SelectionRequest): Selection {
  const remembered = memo.reuse(request);
  if (remembered !== undefined) return remembered;
  const selection = selectInputs({ ...request, index });
  memo.remember(request, selection);
  return selection;
}
