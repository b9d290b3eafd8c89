const proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
const exceptions = ["NO_PROXY", "no_proxy"];
const host = "127.0.0.1";

/**
 * The variables with which a client goes to this machine itself where others are reached through a proxy; none where nothing has to be said. A proxy would
 * ask itself, and get our token.
 */
export function directLoopback(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  if (!proxies.some((name) => env[name])) return {};
  // Which of the two spellings counts is each client's own rule: both do, where both are there.
  const set = exceptions.filter((name) => env[name] !== undefined);
  const names = set.length === 0 ? exceptions.slice(0, 1) : set;
  return Object.fromEntries(
    names.flatMap((name) => {
      const listed = (env[name] ?? "").split(",").map((each) => each.trim());
      if (listed.includes(host) || listed.includes("*")) return [];
      return [[name, [...listed.filter((each) => each !== ""), host].join(",")]];
    }),
  );
}
