/** turbo.json from env.cue: for who writes it, and loaded by nobody else. */
export type {
  PackagePlace,
  SyncCommand,
  SyncGroup,
  SyncNote,
  SyncPackage,
  SyncTask,
  SyncWorkspace,
  TurboTask,
} from "./sync/sync-workspace.ts";
export {
  syncTurboFiles,
  type SyncOptions,
  type SyncResult,
  type TurboFile,
} from "./sync/sync-turbo-files.ts";
export { findWorkspacePackages, type FoundPackage } from "./sync/workspace-packages.ts";
