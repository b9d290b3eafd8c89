import { describe, expect, it } from "vitest";
import type { ProcessOutcome } from "./index.ts";
import { runAttempts } from "./index.ts";

const failure: ProcessOutcome = { status: "failed", exitCode: 1, durationMs: 1 };
const success: ProcessOutcome = {
  status: "succeeded",
  exitCode: 0,
  durationMs: 1,
  outputComplete: true,
};

/** Runs through `outcomes`, the last one for ever. */
async function attempts(
  outcomes: readonly ProcessOutcome[],
  count: number,
  signal?: AbortSignal,
): Promise<{ readonly ran: number; readonly last: ProcessOutcome; readonly retried: number[] }> {
  let ran = 0;
  const retried: number[] = [];
  const last = await runAttempts(
    async (attempt) => {
      ran += 1;
      expect(attempt).toBe(ran);
      return outcomes[Math.min(ran, outcomes.length) - 1] ?? failure;
    },
    {
      retry: { attempts: count, delayMs: 1 },
      onRetry: ({ attempt }) => retried.push(attempt),
      signal,
    },
  );
  return { ran, last, retried };
}

describe("runAttempts", () => {
  it("runs until it succeeds, and tells of each failure that is followed by another run", async () => {
    expect(await attempts([failure, failure, success], 5)).toEqual({
      ran: 3,
      last: success,
      retried: [1, 2],
    });
  });

  it("runs as often as it says in all, and gives the last outcome", async () => {
    const timeout: ProcessOutcome = {
      status: "timedOut",
      timeoutMs: 5,
      exitCode: 124,
      durationMs: 5,
    };
    expect(await attempts([failure, timeout], 2)).toEqual({ ran: 2, last: timeout, retried: [1] });
    expect(await attempts([failure], 0)).toMatchObject({ ran: 1 });
  });

  it("does not repeat what another run cannot mend", async () => {
    const missing: ProcessOutcome = {
      status: "notFound",
      message: "",
      hint: undefined,
      exitCode: 127,
      durationMs: 0,
    };
    const cancelled: ProcessOutcome = { status: "cancelled", exitCode: 130, durationMs: 0 };
    expect(await attempts([missing], 3)).toMatchObject({ ran: 1 });
    expect(await attempts([cancelled], 3)).toMatchObject({ ran: 1 });
  });

  it("stops waiting for the next attempt when the run is interrupted", async () => {
    const controller = new AbortController();
    const outcome = runAttempts(
      async () => {
        setTimeout(() => {
          controller.abort();
        }, 5);
        return failure;
      },
      { retry: { attempts: 3, delayMs: 60_000 }, signal: controller.signal },
    );
    expect(await outcome).toBe(failure);
  });
});
