import type { CacheEvent } from "@cuenv/cache";
import type { NodeOutcome, PlanNode } from "@cuenv/runner";
import { describe, expect, it } from "vitest";
import type { NodePayload } from "../run/run-context.ts";
import { createTrace } from "./create-trace.ts";

interface TraceEvent {
  readonly name: string;
  readonly cat?: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur: number;
  readonly tid: number;
  readonly args: Readonly<Record<string, unknown>>;
}

const node = (name: string): PlanNode => ({ name }) as PlanNode;
const uncached = (durationMs: number): NodeOutcome<NodePayload> => ({
  status: "succeeded",
  exitCode: 0,
  durationMs,
  outputComplete: true,
  payload: { cache: undefined, state: undefined },
});

/** A trace whose clock says what `at` was set to. */
function clocked() {
  const clock = { at: 0 };
  const trace = createTrace(() => clock.at);
  const tell = (at: number, event: CacheEvent): void => {
    clock.at = at;
    trace.observer.cacheEvent(event);
  };
  const events = (): readonly TraceEvent[] =>
    (JSON.parse(trace.text()) as { traceEvents: TraceEvent[] }).traceEvents;
  return { clock, trace, tell, events, complete: () => events().filter(({ ph }) => ph === "X") };
}

describe("a trace", () => {
  it("has the phases of a task within it, in microseconds", () => {
    const { clock, trace, tell, complete } = clocked();
    clock.at = 10;
    trace.observer.started(node("build"));
    tell(14, { type: "keyed", task: "build", durationMs: 3 });
    tell(16, { type: "restored", task: "build", files: 2, bytes: 5, durationMs: 1 });
    tell(17, { type: "lookup", task: "build", key: "k", durationMs: 3 });
    clock.at = 18;
    trace.observer.finished(node("build"), uncached(0));
    expect(complete().map(({ name, ts, dur, cat }) => [name, ts, dur, cat])).toEqual([
      ["build", 10_000, 8000, "task"],
      ["resolve", 10_000, 1000, "phase"],
      ["key", 11_000, 3000, "phase"],
      ["restore", 15_000, 1000, "phase"],
      ["look up", 14_000, 3000, "phase"],
    ]);
    expect(complete()[3]?.args).toEqual({ files: 2, bytes: 5 });
  });

  it("has what the remote cache was asked within the task, and what is sent to it beside the lanes", () => {
    const { clock, trace, tell, complete, events } = clocked();
    clock.at = 10;
    trace.observer.started(node("build"));
    tell(20, {
      type: "remoteLookup",
      task: "build",
      key: "k",
      outcome: "miss",
      durationMs: 6,
    });
    clock.at = 30;
    trace.observer.finished(node("build"), uncached(0));
    const sent = { task: "build", key: "k", blobs: 2, bytes: 7, durationMs: 15 };
    tell(50, { type: "uploaded", ...sent });
    expect(complete()[1]).toMatchObject({
      name: "look up remotely",
      ts: 14_000,
      dur: 6000,
      args: { outcome: "miss" },
    });
    const uploads = events().filter(({ cat }) => cat === "upload");
    expect(uploads).toMatchObject([
      { name: "build", ph: "b", id: "k", ts: 35_000, args: { blobs: 2, bytes: 7 } },
      { name: "build", ph: "e", id: "k", ts: 50_000 },
    ]);
  });

  it("gives each job a lane, and the next task the lane that is free", () => {
    const { clock, trace, complete, events } = clocked();
    const lanes: Record<string, number> = {};
    for (const [at, what, name] of [
      [0, "started", "a"],
      [0, "started", "b"],
      [5, "finished", "a"],
      [5, "started", "c"],
      [7, "finished", "b"],
      [9, "finished", "c"],
    ] as const) {
      clock.at = at;
      if (what === "started") trace.observer.started(node(name));
      else trace.observer.finished(node(name), uncached(1));
    }
    for (const { name, tid, cat } of complete()) if (cat === "task") lanes[name] = tid;
    expect(lanes).toEqual({ a: 1, b: 2, c: 1 });
    const named = events().flatMap(({ name, args }) =>
      name === "thread_name" ? [args["name"]] : [],
    );
    expect(named).toEqual(["cuenv", "job 1", "job 2"]);
  });

  it("cuts a phase to its task, whatever it says that it took", () => {
    const { clock, trace, tell, complete } = clocked();
    clock.at = 10;
    trace.observer.started(node("build"));
    tell(12, { type: "executed", task: "build", durationMs: 100 });
    trace.observer.finished(node("build"), uncached(100));
    for (const { ts, dur } of complete()) {
      expect(ts).toBeGreaterThanOrEqual(10_000);
      expect(ts + dur).toBeLessThanOrEqual(12_000);
    }
    expect(complete().filter(({ name }) => name === "run")).toHaveLength(1);
  });

  it("shows how long another cuenv was waited for", () => {
    const { clock, trace, tell, complete } = clocked();
    trace.observer.started(node("build"));
    clock.at = 2;
    trace.observer.waiting(node("build"));
    tell(30, { type: "hit", task: "build", key: "k", tier: "disk", savedMs: 1 });
    trace.observer.finished(node("build"), uncached(0));
    expect(complete().find(({ name }) => name === "wait")).toMatchObject({ ts: 2000, dur: 28_000 });
  });

  it("is silent about what it was not told the start of", () => {
    const { trace, tell, complete } = clocked();
    tell(1, { type: "lookup", task: "other", key: "k", durationMs: 1 });
    trace.observer.finished(node("skipped"), {
      status: "skipped",
      reason: { kind: "interrupted" },
    });
    trace.phase("evaluate", 1, 3.5);
    expect(complete()).toMatchObject([{ name: "evaluate", ts: 1000, dur: 2500, tid: 0 }]);
  });
});
