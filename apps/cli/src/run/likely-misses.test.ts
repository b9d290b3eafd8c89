import type { CacheEngine } from "@cuenv/cache";
import type { Plan } from "@cuenv/runner";
import { describe, expect, it } from "vitest";
import { likelyMisses } from "./likely-misses.ts";

const planOf = (count: number): Plan => ({
  nodes: Array.from({ length: count }, (_, number) => {
    const name = `t${number}`;
    return { name, task: { name } } as Plan["nodes"][number];
  }),
  limits: new Map(),
});

/** Of which these tasks' results changed, the last one first. */
const engineOf = (...recent: readonly string[]): CacheEngine =>
  ({
    taskId: ({ name }: { readonly name: string }) => `app#${name}`,
    lastResults: { recent: (limit: number) => recent.slice(0, limit) },
  }) as unknown as CacheEngine;

describe("the likely misses of a plan", () => {
  it("are the few tasks of it that changed last", () => {
    const engine = engineOf("app#t7", "other#t8", "app#t40", "app#gone", "app#t9");
    expect(likelyMisses(planOf(50), undefined, engine)).toEqual(["t7", "t40"]);
  });

  it("are not asked for where the order is the plan's: one job, few tasks, no cache", () => {
    const engine = engineOf("app#t7");
    expect(likelyMisses(planOf(50), 1, engine)).toBeUndefined();
    expect(likelyMisses(planOf(32), 4, engine)).toBeUndefined();
    expect(likelyMisses(planOf(50), 4, undefined)).toBeUndefined();
    expect(likelyMisses(planOf(50), 4, engine)).toEqual(["t7"]);
  });
});
