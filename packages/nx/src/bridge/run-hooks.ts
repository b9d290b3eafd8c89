import { randomBytes } from "node:crypto";
import process from "node:process";
import { types } from "node:util";
import type { PostTasksExecutionContext, TasksExecutionContext } from "../nx-api.ts";
import { type PluginOptions, readPluginOptions } from "../plugin-options.ts";
import { type Bridge, openBridge } from "./bridge.ts";
import { startCacheProcess } from "./cache-process.ts";
import { directLoopback } from "./direct-loopback.ts";
import { otherRemoteCache } from "./other-remote-cache.ts";
import { durationsOf, recordRun } from "./record-run.ts";
import { runReport } from "./run-report.ts";

/** By id of the run: a daemon may have several at once. */
const bridges = new Map<string, Bridge>();

/** Before the first task of a run: what Nx' client for remote caches reads is made to lead to cuenv's store. */
export async function preTasksExecution(
  given: PluginOptions | undefined,
  context: TasksExecutionContext,
): Promise<void> {
  const { remoteCache = true } = readPluginOptions(given);
  // Nothing to start for; where it is off in another way, the server says so when it is started.
  if (!remoteCache || process.env["CUENV_CACHE"]?.toLowerCase() === "off") return;
  const { workspaceRoot, nxJsonConfiguration } = context;
  const { NX_SELF_HOSTED_REMOTE_CACHE_SERVER: server, CUENV_NX_BRIDGE: outer } = process.env;
  // A task of a run that has a bridge runs Nx: its results go the same way.
  if (server !== undefined && server !== "" && server === outer) return;
  const other = otherRemoteCache(workspaceRoot, nxJsonConfiguration, process.env);
  if (other !== undefined) {
    say(`Nx's cache is not shared through cuenv: ${other}`);
    return;
  }
  const token = randomBytes(32).toString("base64url");
  const settings = { workspaceRoot, token, onWord: say };
  let bridge: Bridge;
  try {
    bridge = await openBridge({ start: () => startCacheProcess(settings), onWord: say });
  } catch (error) {
    say(`warning: Nx's cache is not shared in this run: ${String(error)}`);
    return;
  }
  bridges.set(context.id, bridge);
  const variables = {
    NX_SELF_HOSTED_REMOTE_CACHE_SERVER: bridge.url,
    NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: bridge.token,
    CUENV_NX_BRIDGE: bridge.url,
    // Nx ends a build whose cache a proxy does not reach.
    ...directLoopback(process.env),
  };
  setForTasks(variables);
}

/**
 * Nx listens to what is set, and sends it to the process that runs the tasks. It must not stay here: a daemon's worker lives on, and the next run would take
 * it for the user's.
 */
function setForTasks(variables: Readonly<Record<string, string>>): void {
  const { env } = process;
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
    if (bridge === undefined) return;
    const counts = bridge.counts();
    await bridge.noteDurations(durationsOf(context.taskResults, counts.stored));
    await bridge.close();
    const report = runReport(counts, context.taskResults);
    if (report !== undefined) say(report);
  } catch (error) {
    say(`warning: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Where Nx' daemon is on, its log is where this goes. */
function say(line: string): void {
  process.stderr.write(`cuenv: ${line}\n`);
}
