/** The engine that adapters call: look up and restore, or execute, capture and store. */
export type { CacheEngine } from "./cache-engine.ts";
export type { CacheEvent, MissReason, NotStoredReason, RefusedReason } from "./cache-event.ts";
export {
  createEntryTrust,
  type EntryTrust,
  type EntryTrustOptions,
  type TrustPolicy,
} from "./entry-trust.ts";
export { givenKey, ownKeyPair } from "./given-key.ts";
export { type ExecuteOptions, executeTaskWithCache } from "./execute-task-with-cache.ts";
export { executeWithoutCache } from "./execute-without-cache.ts";
export {
  openCacheEngine,
  type OpenCacheEngineOptions,
  type OpenedCacheEngine,
} from "./open-cache-engine.ts";
export type { RemoteOptions, RemoteTier } from "./remote-tier.ts";
export type { RunRecord } from "./run-statistics.ts";
export type {
  DependencyState,
  Execute,
  Execution,
  Miss,
  OutputSink,
  Streams,
  TaskOutcome,
  TaskRequest,
} from "./task-request.ts";
export { usableWorkspaceState, type WorkspaceState } from "./workspace-state.ts";
export { visibleEnvironment } from "./visible-environment.ts";
