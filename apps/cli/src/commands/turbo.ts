import { randomBytes } from "node:crypto";
import type { CacheMode } from "@cuenv/config";
import { runAttached } from "@cuenv/runner";
import { createAccessPolicy, createCacheServer, hashToken } from "@cuenv/server";
import type { Invocation } from "../command-line/command.ts";
import { openSettings, type OpenSettings } from "../project/open-project.ts";
import { printErr } from "../report/terminal.ts";
import { ownVariables } from "../run/host-environment.ts";
import { artifactRemote } from "../serve/artifact-remote.ts";
import { artifactTrust } from "../serve/artifact-trust.ts";
import { findTurbo, isLinked, turboDirectory, turboRoot } from "../turbo/find-turbo.ts";
import { directLoopback } from "../turbo/direct-loopback.ts";
import { namedRemote, saysCaches } from "../turbo/said-to-turbo.ts";
import { turboPlace } from "../turbo/turbo-place.ts";

/** What turbo may do, as `--cache` and TURBO_CACHE say it. */
const turboCache: Readonly<Record<CacheMode, string | undefined>> = {
  off: "local:,remote:",
  read: "local:r,remote:r",
  write: "local:w,remote:w",
  "read-write": undefined,
};

/**
 * For turbo in a repository that demands its signatures (`remoteCache.signature`), where nobody gave it a key: it stores and takes nothing then. Artifacts have
 * our signature, which is asymmetric and checked before turbo sees them, so this need not be secret.
 */
const signatureKey = "artifacts bear the signatures of cuenv's keys";

/** `cuenv turbo`: turbo, with this cache behind it for the time of the run. */
export async function runTurbo(invocation: Invocation): Promise<number> {
  const args = invocation.rest ?? [];
  const here = turboDirectory(args);
  const argv = [findTurbo(here), ...args];
  const env = ownVariables();
  if (isAboutAccount(args)) return run(argv, env);
  // All of a workspace has one cache, whichever package's folder turbo is started in: what the root's settings say.
  const root = turboRoot(here);
  const open = await openSettings(invocation, { from: root });
  const mode = open.settings.enabled ? open.settings.defaultMode : "off";
  const cache = turboCache[mode];
  if (cache !== undefined && !saysCaches(args, env)) env["TURBO_CACHE"] ||= cache;
  if (mode === "off") return run(argv, env);
  if (env["TURBO_RUN_SUMMARY"] === undefined) {
    // What `cuenv turbo why` compares with.
    env["TURBO_RUN_SUMMARY"] = "true";
    const { pruneSummaries } = await import("@cuenv/turbo");
    pruneSummaries(root);
  }
  const named = namedRemote(args, env);
  if (named !== undefined) {
    printErr(`cuenv turbo: ${named}, so turbo's own remote cache is used\n`);
    return run(argv, env);
  }
  if (isLinked(root))
    printErr(
      "cuenv turbo: the remote cache that turbo link configured is not used in this run, cuenv's is\n",
    );
  const { team, cacheDir } = turboPlace(open.settings, root);
  if (cacheDir !== undefined) env["TURBO_CACHE_DIR"] ??= cacheDir;
  const server = await startServer(open, mode === "read");
  if (server === undefined) return run(argv, env);
  if (server.signs) env["TURBO_REMOTE_CACHE_SIGNATURE_KEY"] ||= signatureKey;
  try {
    return await run(argv, {
      ...env,
      ...directLoopback(env),
      TURBO_API: server.address,
      TURBO_TOKEN: server.token,
      TURBO_TEAM: team,
      TURBO_TEAMID: `team_${team}`,
    });
  } finally {
    await server.close();
  }
}

/** What is between turbo and the remote cache that the user has elsewhere: a logout must reach that one. */
function isAboutAccount(args: readonly string[]): boolean {
  const command = args.find((arg, index) => !arg.startsWith("-") && args[index - 1] !== "--cwd");
  return ["login", "logout", "link", "unlink"].includes(command ?? "");
}

interface RunningServer {
  readonly address: string;
  readonly token: string;
  /** Whether what is served was signed by whom the user trusts. */
  readonly signs: boolean;
  readonly close: () => Promise<void>;
}

/**
 * On this machine, at any free port, for who knows the token of this run. Undefined: it cannot be had here, which was said and is no reason not to build.
 * @throws {CuenvError} as {@link artifactTrust}
 */
async function startServer(
  open: OpenSettings,
  isReadOnly: boolean,
): Promise<RunningServer | undefined> {
  const { settings } = open;
  const onTrouble = (message: string): void => printErr(`warning: ${message}\n`);
  const token = randomBytes(32).toString("base64url");
  const grant = {
    name: "cuenv turbo",
    sha256: hashToken(token),
    namespaces: "*",
    scopes: ["read", "write"],
  } as const;
  const trust = artifactTrust(open, settings.cacheDir, onTrouble);
  const options = {
    root: settings.cacheDir,
    digestFunction: settings.digestFunction,
    durability: settings.durability,
    limits: { maxBytes: settings.maxSizeBytes, maxAgeMs: settings.maxAgeMs },
    evictionPolicy: settings.evictionPolicy,
    policy: createAccessPolicy({ grants: [grant] }),
    trust,
    openRemote: artifactRemote({ settings, isReadOnly, onTrouble }),
    isReadOnly,
    onTrouble,
  };
  try {
    const server = createCacheServer(options);
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    return {
      address: `http://127.0.0.1:${port}`,
      token,
      signs: trust !== undefined,
      close: () => server.close(),
    };
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    onTrouble(`turbo runs without this cache: ${found}`);
    return undefined;
  }
}

async function run(argv: readonly string[], env: Record<string, string>): Promise<number> {
  const outcome = await runAttached({ argv, cwd: process.cwd(), env });
  if (outcome.status === "notFound" || outcome.status === "notExecutable")
    printErr(`error: ${outcome.message}\nhint: npm install --save-dev turbo\n`);
  return outcome.exitCode;
}
