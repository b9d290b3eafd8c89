import process from "node:process";
import { types } from "node:util";
import type { PostTasksExecutionContext, TasksExecutionContext } from "../nx-api.ts";
import { type PluginOptions, readPluginOptions } from "../plugin-options.ts";
import { type Bridge, type BridgeCounts, openBridge } from "./bridge.ts";
import { endBridgeProcess, type RunPlace, startBridgeProcess } from "./bridge-process.ts";
import { startCacheProcess } from "./cache-process.ts";
import { directLoopback } from "./direct-loopback.ts";
import { otherRemoteCache } from "./other-remote-cache.ts";
import { randomToken } from "./random-token.ts";
import { durationsOf, recordRun, workspaceDataFolder } from "./record-run.ts";
import { runReport } from "./run-report.ts";

/** By id of the run. */
const bridges = new Map<string, Bridge>();

/** Before the first task of a run: what Nx' client for remote caches reads is made to lead to cuenv's store. */
export async function preTasksExecution(
  given: PluginOptions | undefined,
  context: TasksExecutionContext,
): Promise<void> {
  // At once, and not after any wait: it is what Nx listens to for this run, and a daemon may have several at once.
  const { env } = process;
  const { remoteCache = true } = readPluginOptions(given);
  // Nothing to start for; where it is off in another way, the server says so when it is started.
  if (!remoteCache || env["CUENV_CACHE"]?.toLowerCase() === "off") return;
  const { workspaceRoot, nxJsonConfiguration } = context;
  const { NX_SELF_HOSTED_REMOTE_CACHE_SERVER: server, CUENV_NX_BRIDGE: outer } = env;
  // A task of a run that has a bridge runs Nx: its results go the same way.
  if (server !== undefined && server !== "" && server === outer) return;
  const other = otherRemoteCache(workspaceRoot, nxJsonConfiguration, env);
  if (other !== undefined) {
    say(`Nx's cache is not shared through cuenv: ${other}`);
    return;
  }
  let bridge: Pick<Bridge, "url" | "token">;
  try {
    bridge = isInDaemon(env)
      ? await startBridgeProcess(placeOf(context), workspaceRoot)
      : await ownBridge(context);
  } catch (error) {
    say(`warning: Nx's cache is not shared in this run: ${messageOf(error)}`);
    return;
  }
  const variables = {
    NX_SELF_HOSTED_REMOTE_CACHE_SERVER: bridge.url,
    NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: bridge.token,
    CUENV_NX_BRIDGE: bridge.url,
    // Nx ends a build whose cache a proxy does not reach.
    ...directLoopback(env),
  };
  setForTasks(env, variables);
}

/**
 * In a daemon the process that runs hooks is ended when any run has ended, whichever others go on, and when plugins are loaded anew; a bridge in it would end under
 * a run, and with it the build. So there it has a process of its own. Nx sets this in its daemons only.
 */
function isInDaemon(env: NodeJS.ProcessEnv): boolean {
  return types.isProxy(env) && env["NX_CACHE_PROJECTS_CONFIG"] === "false";
}

function placeOf({ id, workspaceRoot }: TasksExecutionContext): RunPlace {
  return { id, dataFolder: workspaceDataFolder(workspaceRoot) };
}

async function ownBridge({ id, workspaceRoot }: TasksExecutionContext): Promise<Bridge> {
  const settings = { workspaceRoot, token: randomToken(), onWord: say };
  const bridge = await openBridge({ start: () => startCacheProcess(settings), onWord: say });
  bridges.set(id, bridge);
  return bridge;
}

/**
 * Nx listens to what is set, and sends it to the process that runs the tasks. It must not stay here: a daemon's worker lives on, and the next run would take
 * it for the user's.
 */
function setForTasks(env: NodeJS.ProcessEnv, variables: Readonly<Record<string, string>>): void {
  const before = Object.keys(variables).map((name) => [name, env[name]] as const);
  Object.assign(env, variables);
  if (!types.isProxy(env)) return;
  for (const [name, value] of before)
    if (value === undefined) delete env[name];
    // Defined, not set: Nx must not hear of it.
    else
      Object.defineProperty(env, name, {
        value,
        configurable: true,
        enumerable: true,
        writable: true,
      });
}

/** After the last task: durations are told, uploads come to their end, and what was saved is said. Never throws: the run has its result already. */
export async function postTasksExecution(
  _given: PluginOptions | undefined,
  context: PostTasksExecutionContext,
): Promise<void> {
  const bridge = bridges.get(context.id);
  bridges.delete(context.id);
  try {
    recordRun(context);
    const counts = bridge === undefined ? await endOther(context) : await endOwn(bridge, context);
    const report = counts && runReport(counts, context.taskResults);
    if (report !== undefined) say(report);
  } catch (error) {
    say(`warning: ${messageOf(error)}`);
  }
}

async function endOwn(
  bridge: Bridge,
  { taskResults }: PostTasksExecutionContext,
): Promise<BridgeCounts> {
  const counts = bridge.counts();
  await bridge.noteDurations(durationsOf(taskResults, counts.stored));
  await bridge.close();
  return counts;
}

async function endOther(context: PostTasksExecutionContext): Promise<BridgeCounts | undefined> {
  const ended = await endBridgeProcess(placeOf(context), durationsOf(context.taskResults));
  for (const line of ended?.words ?? []) say(line);
  return ended && { ...ended, stored: new Set(ended.stored) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Where Nx' daemon is on, its log is where this goes. */
function say(line: string): void {
  process.stderr.write(`cuenv: ${line}\n`);
}
