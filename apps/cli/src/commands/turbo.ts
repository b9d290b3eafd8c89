import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { CacheMode } from "@cuenv/config";
import { runAttached } from "@cuenv/runner";
import { createAccessPolicy, createCacheServer, hashToken } from "@cuenv/server";
import type { Invocation } from "../command-line/command.ts";
import { openSettings, type OpenSettings } from "../project/open-project.ts";
import { printErr } from "../report/terminal.ts";
import { ownVariables } from "../run/host-environment.ts";
import { findTurbo, turboRoot } from "../turbo/find-turbo.ts";
import { runtimeDigest } from "../turbo/runtime-digest.ts";

/** Turbo only sends ids that begin with `team_`; the namespace is what follows. */
const namespace = "local";

/** What turbo may do, as `--cache` and TURBO_CACHE say it. */
const turboCache: Readonly<Record<CacheMode, string | undefined>> = {
  off: "local:,remote:",
  read: "local:r,remote:r",
  write: "local:w,remote:w",
  "read-write": undefined,
};

/** `cuenv turbo`: turbo, with this cache behind it for the time of the run. */
export async function runTurbo(invocation: Invocation): Promise<number> {
  const argv = [findTurbo(process.cwd()), ...(invocation.rest ?? [])];
  const env = ownVariables();
  const open = await openSettings(invocation, { remember: false });
  const mode = open.settings.enabled ? open.settings.defaultMode : "off";
  const cache = turboCache[mode];
  if (cache !== undefined) env["TURBO_CACHE"] ??= cache;
  if (mode === "off") return run(argv, env);
  if (env["TURBO_RUN_SUMMARY"] === undefined) {
    // What `cuenv turbo why` compares with.
    env["TURBO_RUN_SUMMARY"] = "true";
    const { pruneSummaries } = await import("@cuenv/turbo");
    pruneSummaries(turboRoot(process.cwd()));
  }
  if (env["TURBO_API"] !== undefined || env["TURBO_TOKEN"] !== undefined) {
    printErr("cuenv turbo: TURBO_API or TURBO_TOKEN is set, so turbo's own remote cache is used\n");
    return run(argv, env);
  }
  const digest = runtimeDigest(open.settings.runtime);
  const team = digest === undefined ? namespace : `${namespace}-${digest}`;
  if (digest !== undefined) env["TURBO_CACHE_DIR"] ??= join(".turbo", "cache", digest);
  return withServer(open, (address, token) =>
    run(argv, {
      ...env,
      TURBO_API: address,
      TURBO_TOKEN: token,
      TURBO_TEAM: team,
      TURBO_TEAMID: `team_${team}`,
    }),
  );
}

/** On this machine, at any free port, for who knows the token of this run. */
async function withServer(
  { settings }: OpenSettings,
  use: (address: string, token: string) => Promise<number>,
): Promise<number> {
  const token = randomBytes(32).toString("base64url");
  const grant = {
    name: "cuenv turbo",
    sha256: hashToken(token),
    namespaces: "*",
    scopes: ["read", "write"],
  } as const;
  const server = createCacheServer({
    root: settings.cacheDir,
    digestFunction: settings.digestFunction,
    durability: settings.durability,
    limits: { maxBytes: settings.maxSizeBytes, maxAgeMs: settings.maxAgeMs },
    evictionPolicy: settings.evictionPolicy,
    policy: createAccessPolicy({ grants: [grant] }),
    onTrouble: (message) => printErr(`warning: ${message}\n`),
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  try {
    return await use(`http://127.0.0.1:${port}`, token);
  } finally {
    await server.close();
  }
}

async function run(argv: readonly string[], env: Record<string, string>): Promise<number> {
  const outcome = await runAttached({ argv, cwd: process.cwd(), env });
  if (outcome.status === "notFound" || outcome.status === "notExecutable")
    printErr(`error: ${outcome.message}\nhint: npm install --save-dev turbo\n`);
  return outcome.exitCode;
}
