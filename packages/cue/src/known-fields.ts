const top =
  "env environment tasks config hooks name ci services images capabilities workspaces".split(" ");
const task =
  "command args script shell scriptShell shellOptions description dependencies dependsOn workingDir dir env inputs outputs cache cacheKey cacheConfig timeout retry continueOnError params labels hermetic captures security capabilities runtime dagger type maxConcurrency tasks".split(
    " ",
  );
const taskCache = "enabled env mode maxAge".split(" ");
const cacheConfig =
  "envInclude envExclude extraInputs ignoreInputs customKeyComponents runtime keyEpoch envMode maxAge timeout maxSize".split(
    " ",
  );
const globalCache =
  "enabled defaultMode cacheDir maxSize maxAge evictionPolicy envInclude envExclude envMode runtime keyEpoch digestFunction durability statsRetentionDays namespace remote".split(
    " ",
  );

/** The fields that the schema has at a path; none where names are free. For hints only: the schema itself judges. */
export function knownFields(path: readonly string[]): readonly string[] {
  const [first, second] = path;
  if (first === undefined) return top;
  if (first === "config")
    return path.length === 1 ? ["cache"] : second === "cache" ? globalCache : [];
  if (first !== "tasks" || path.length < 2) return [];
  const last = path.at(-1);
  if (last === "cache") return taskCache;
  if (last === "cacheConfig" || last === "cache_config") return cacheConfig;
  return path.slice(2).some((name) => task.includes(name) && name !== "tasks") ? [] : task;
}
