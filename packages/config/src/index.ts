/** Turns evaluated CUE, settings files, environment and flags into one validated, read-only configuration. */
export {
  cacheModes,
  getTaskCacheMode,
  isCachingEnabled,
  isReadable,
  isWritable,
  parseCacheMode,
} from "./cache-mode.ts";
export type {
  CacheMode,
  CacheSettings,
  CacheSettingsInput,
  EnvironmentMode,
  EvictionPolicy,
  TaskCacheSettings,
} from "./cache-settings.ts";
export { byteSizeHint, parseByteSize, writtenByteSize } from "./byte-size.ts";
export { infiniteAgeText, parseDuration, writtenDuration } from "./duration.ts";
export { readEnvironmentSettings, settingVariables } from "./environment-settings.ts";
export { remoteAuthToken } from "./remote-auth-token.ts";
export {
  otherCacheVariables,
  settingFields,
  settingName,
  settingTable,
  spellingsOf,
  type Setting,
  type SettingKind,
} from "./setting-table.ts";
export type { Warning } from "./problems.ts";
export { type EnvironmentSwitches, readEnvironmentSwitches } from "./environment-switches.ts";
export type { EvaluatedPackage } from "./evaluated-package.ts";
export { normalizeProject, type NormalizeOptions } from "./normalize/normalize-project.ts";
export { readsOutputs } from "./normalize/reads-outputs.ts";
export {
  parseCacheSettings,
  type ParsedCacheSettings,
  type SettingsPlace,
} from "./parse-cache-settings.ts";
export { overTasks, taskOverrides } from "./over-tasks.ts";
export { refusedError } from "./refused-error.ts";
export {
  defaultCacheSettings,
  homeOf,
  listSettingValues,
  resolveCacheSettings,
  type ResolvedCacheSettings,
  type ResolveOptions,
  type SettingsFile,
  type SettingSource,
  type SettingValue,
} from "./resolve-cache-settings.ts";
export {
  type LoadedSettings,
  type LoadOptions,
  loadSettingsFiles,
  settingsPaths,
  userConfigDirectory,
} from "./settings-files.ts";
export type {
  Argument,
  CommandTask,
  EnvironmentValue,
  EnvironmentValues,
  GroupTask,
  HostVariable,
  Project,
  Secret,
  SequenceTask,
  Task,
  TaskAction,
  TaskOutputReference,
  TaskParameter,
} from "./task.ts";
export { assertUnlocked } from "./locked-settings.ts";
export { type TrustMode, trustModes, type TrustSettingsInput } from "./read-trust-settings.ts";
export {
  resolveTrustSettings,
  type ResolveTrustOptions,
  type TrustSettings,
} from "./trust-settings.ts";
export {
  cueFiles,
  findProjectDirectory,
  type FindProjectOptions,
  findWorkspace,
  findWorkspaceRoot,
} from "./workspace-root.ts";
