/** Every field of a task, in every spelling. */
export const taskFields: ReadonlySet<string> = new Set([
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
  // Understood and not honoured, or honoured by refusing to run the task.
  "security",
  "captures",
  "capabilities",
  "hermetic",
  "labels",
  "runtime",
  "dagger",
]);

/** What the schemas of cuenv 0.54 and our own add to every task and group, for references to its output. */
export const outputFields: readonly string[] = ["stdout", "stderr", "exitCode"];

/** Fields of a group; every other field of one is a member. */
export const groupFields: ReadonlySet<string> = new Set([
  "type",
  "description",
  "dependencies",
  "dependsOn",
  "maxConcurrency",
  "mode",
  "tasks",
]);

/** Fields of a group that has its members below `tasks`. */
export const wrappedGroupFields: ReadonlySet<string> = new Set(
  [...groupFields].filter((field) => field !== "type"),
);
