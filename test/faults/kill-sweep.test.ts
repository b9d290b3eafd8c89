import { describe, expect, it } from "vitest";
import { isFull, isLacking, lackOf } from "./capabilities.ts";
import type { FileCall } from "./file-calls.ts";
import { killAt } from "./kill-at.ts";
import { scenarios } from "./kill-scenarios.ts";
import { type Cell, spread, summary, sweep } from "./sweep.ts";

/** In CI: so many kills of each scenario, spread over the calls that can change the disk. One of them may not come: whether files are young, and what is done then, differs from run to run. */
const shortKills = 3;
const timeoutMs = 60 * 60_000;

function kills(calls: readonly FileCall[]): readonly Cell[] {
  const picked = isFull
    ? calls
    : spread(
        calls.filter(({ changes }) => changes),
        shortKills,
      );
  return picked.map((call) => ({ call, what: "signal=KILL" }));
}

describe("kill -9 at a file-system call leaves a sound cache and a right next run (row 47)", () => {
  for (const scenario of scenarios) {
    it.skipIf(isLacking("strace"))(
      `${scenario.name}${lackOf("strace")}`,
      async () => {
        const report = await sweep(scenario, kills, killAt);
        if (isFull) console.info(`${scenario.name}: ${summary(report)}`);
        const { tried, failures } = report;
        expect(failures, failures.join("\n")).toHaveLength(0);
        expect(tried).toBeGreaterThan(shortKills / 2);
      },
      timeoutMs,
    );
  }
});
