/** What turbo does not take beside TURBO_CACHE. */
export const cacheVariables: readonly string[] = [
  "TURBO_REMOTE_ONLY",
  "TURBO_REMOTE_CACHE_READ_ONLY",
];

type Variables = Readonly<Record<string, string>>;

/** How a remote cache is named that is not ours. It must get neither our team nor our key, which would be that of everybody. */
export function namedRemote(args: readonly string[], env: Variables): string | undefined {
  // Empty is not set, to turbo as well: a secret that a CI job may not have.
  if (env["TURBO_API"] || env["TURBO_TOKEN"]) return "TURBO_API or TURBO_TOKEN is set";
  return ownFlag(args, /^--(?:api|token)(?:=|$)/) === undefined
    ? undefined
    : "--api or --token is given";
}

/** Whether the caches that turbo uses are said in a way that it does not take beside TURBO_CACHE; `--cache` and `--force` it takes. */
export function saysCaches(args: readonly string[], env: Variables): boolean {
  const flag = /^--(?:(?:remote-only|remote-cache-read-only)(?:=true)?$|no-cache(?:=|$))/;
  return (
    ownFlag(args, flag) !== undefined ||
    cacheVariables.some((name) => ["true", "1"].includes(env[name] ?? ""))
  );
}

/** What follows `--` is for the tasks. */
function ownFlag(args: readonly string[], flag: RegExp): string | undefined {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).find((arg) => flag.test(arg));
}
