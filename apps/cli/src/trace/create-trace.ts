import type { CacheEvent } from "@cuenv/cache";
import type { NodeOutcome, PlanNode } from "@cuenv/runner";
import type { NodePayload } from "../run/run-context.ts";
import { taskDocument } from "../run/run-document.ts";
import type { RunObserver } from "../run/run-observer.ts";
import { createJobLanes } from "./job-lanes.ts";

/** A complete event of the Chrome trace format; `ts` and `dur` are whole microseconds since the process began. */
interface CompleteEvent {
  readonly name: string;
  readonly cat: "cuenv" | "task" | "phase";
  readonly ph: "X";
  readonly ts: number;
  readonly dur: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Begin or end of something that no lane waits for: of those with one id the two belong together. */
interface AsyncEvent extends Omit<CompleteEvent, "cat" | "ph" | "dur"> {
  readonly cat: "upload";
  readonly ph: "b" | "e";
  readonly id: string;
}

export interface Trace {
  readonly observer: RunObserver;
  /** What cuenv itself did, in a lane of its own. Times are milliseconds since the process began. */
  phase(name: string, startMs: number, endMs: number): void;
  /** The file: JSON. */
  text(): string;
}

/** Our own lane; the job slots are 1, 2 … */
const ownLane = 0;

/** What takes less is no phase of its own. */
const shortestMs = 0.5;

/** What is known of a task that runs. */
interface OpenTask {
  readonly startMs: number;
  readonly lane: number;
  readonly phases: CompleteEvent[];
  waitingSinceMs: number | undefined;
}

/**
 * A run as a Chrome trace (chrome://tracing, Perfetto): a lane for each job slot with the tasks that it did, and within a task its phases; beside them what was sent to a remote cache.
 * Viewers nest events of one lane by time alone, so a phase never leaves its task: it is cut to it.
 */
export function createTrace(now: () => number = () => process.uptime() * 1000): Trace {
  const events: (CompleteEvent | AsyncEvent)[] = [];
  const lanes = createJobLanes();
  const open = new Map<string, OpenTask>();

  function cacheEvent(event: CacheEvent): void {
    if (event.type === "uploaded") events.push(...upload(event, now()));
    const task = event.task === undefined ? undefined : open.get(event.task);
    if (task === undefined) return;
    const endMs = now();
    if ((event.type === "hit" || event.type === "miss") && task.waitingSinceMs !== undefined) {
      addPhase(task, { name: "wait", durationMs: endMs - task.waitingSinceMs }, endMs);
      task.waitingSinceMs = undefined;
    }
    const phase = phaseOf(event);
    if (phase === undefined) return;
    // Before the key: secrets, and outputs of others that are arguments.
    const before = endMs - phase.durationMs;
    if (phase.name === "key" && before - task.startMs > shortestMs)
      addPhase(task, { name: "resolve", durationMs: before - task.startMs }, before);
    addPhase(task, phase, endMs);
  }

  function finished(node: PlanNode, outcome: NodeOutcome<NodePayload>): void {
    const task = open.get(node.name);
    if (task === undefined) return;
    open.delete(node.name);
    lanes.free(node.name);
    const isUncached = "payload" in outcome && outcome.payload.cache === undefined;
    const ran = task.phases.some(({ name }) => name === "run");
    const endMs = now();
    if (isUncached && !ran && outcome.durationMs > 0)
      addPhase(task, { name: "run", durationMs: outcome.durationMs }, endMs);
    const { name, ...args } = taskDocument(node.name, outcome);
    events.push(complete(name, "task", task.lane, task.startMs, endMs, args), ...task.phases);
  }

  return {
    observer: {
      started: ({ name }) => {
        const task = { startMs: now(), lane: lanes.take(name), phases: [] };
        open.set(name, { ...task, waitingSinceMs: undefined });
      },
      waiting: ({ name }) => {
        const task = open.get(name);
        if (task !== undefined) task.waitingSinceMs = now();
      },
      cacheEvent,
      finished,
    },
    phase: (name, startMs, endMs) => {
      events.push(complete(name, "cuenv", ownLane, startMs, endMs, {}));
    },
    text: () => {
      const traceEvents = [...names(lanes.count()), ...events];
      return `${JSON.stringify({ displayTimeUnit: "ms", traceEvents })}\n`;
    },
  };
}

interface Phase {
  readonly name: string;
  readonly durationMs: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** Of what is told when it ends. */
function phaseOf(event: CacheEvent): Phase | undefined {
  switch (event.type) {
    case "keyed":
      return { name: "key", durationMs: event.durationMs };
    case "lookup":
      return { name: "look up", durationMs: event.durationMs };
    case "remoteLookup":
      return {
        name: "look up remotely",
        durationMs: event.durationMs,
        args: { outcome: event.outcome },
      };
    case "restored": {
      const { files, bytes, durationMs } = event;
      return { name: "restore", durationMs, args: { files, bytes } };
    }
    case "executed":
      return { name: "run", durationMs: event.durationMs };
    case "stored":
      return { name: "store", durationMs: event.durationMs };
    default:
      return undefined;
  }
}

/** The task has ended, and others run meanwhile. */
function upload(
  { task, key, blobs, bytes, durationMs }: CacheEvent & { readonly type: "uploaded" },
  endMs: number,
): readonly AsyncEvent[] {
  const at = (ms: number): number => Math.round(ms * 1000);
  const common = { name: task, cat: "upload", id: key, pid: process.pid, tid: ownLane } as const;
  return [
    { ...common, ph: "b", ts: Math.max(0, at(endMs - durationMs)), args: { blobs, bytes } },
    { ...common, ph: "e", ts: at(endMs), args: {} },
  ];
}

function addPhase(
  { startMs, lane, phases }: OpenTask,
  { name, durationMs, args }: Phase,
  endMs: number,
): void {
  const from = Math.max(startMs, endMs - durationMs);
  phases.push(complete(name, "phase", lane, from, endMs, args ?? {}));
}

/** Rounding keeps order, so what lies within another thing still does. */
function complete(
  name: string,
  cat: CompleteEvent["cat"],
  tid: number,
  startMs: number,
  endMs: number,
  args: Readonly<Record<string, unknown>>,
): CompleteEvent {
  const ts = Math.round(startMs * 1000);
  const dur = Math.max(0, Math.round(endMs * 1000) - ts);
  return { name, cat, ph: "X", ts, dur, pid: process.pid, tid, args };
}

function names(jobs: number): readonly object[] {
  const { pid } = process;
  const metadata = (name: string, tid: number, args: object): object => ({
    name,
    ph: "M",
    pid,
    tid,
    args,
  });
  const lane = (tid: number, name: string): readonly object[] => [
    metadata("thread_name", tid, { name }),
    metadata("thread_sort_index", tid, { sort_index: tid }),
  ];
  return [
    metadata("process_name", ownLane, { name: "cuenv" }),
    ...lane(ownLane, "cuenv"),
    ...Array.from({ length: jobs }, (_, at) => lane(at + 1, `job ${at + 1}`)).flat(),
  ];
}
