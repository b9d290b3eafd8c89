/** Fields of a task that are honoured, in every spelling. */
export const taskFields: readonly string[] = [
  "description",
  "command",
  "args",
  "script",
  "shell",
  "scriptShell",
  "shellOptions",
  "dependencies",
  "dependsOn",
  "workingDir",
  "dir",
  "env",
  "inputs",
  "outputs",
  "cache",
  "cacheKey",
  "cache_key",
  "cacheConfig",
  "cache_config",
  "cacheEnv",
  "cache_env",
  "timeout",
  "retry",
  "continueOnError",
  "params",
];

/** Fields of a task that are understood and not honoured, or honoured by refusing to run the task. */
export const otherTaskFields: readonly string[] = [
  "security",
  "captures",
  "capabilities",
  "hermetic",
  "labels",
  "runtime",
  "dagger",
];

/** What the schemas of cuenv 0.54 and our own add to every task and group, for references to its output. */
export const outputFields: readonly string[] = ["stdout", "stderr", "exitCode"];

/** Fields of a group; every other field of one is a member. */
export const groupFields: readonly string[] = [
  "type",
  "description",
  "dependencies",
  "dependsOn",
  "maxConcurrency",
  "mode",
  "tasks",
];

const known: ReadonlySet<string> = new Set([...taskFields, ...otherTaskFields]);

export function isTaskField(field: string): boolean {
  return known.has(field);
}
