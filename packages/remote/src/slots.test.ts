import { describe, expect, it } from "vitest";
import { createSlots } from "./slots.ts";

/** Steps that run until they are told to end. */
function steps(slots: ReturnType<typeof createSlots>) {
  const running: string[] = [];
  const ends = new Map<string, () => void>();
  const begin = (name: string, access: "read" | "write", signal?: AbortSignal): Promise<void> =>
    slots.run({ access, timeoutMs: 60_000, signal }, async () => {
      running.push(name);
      await new Promise<void>((resolve) => void ends.set(name, resolve));
      running.splice(running.indexOf(name), 1);
    });
  const end = (name: string): void => ends.get(name)?.();
  return { running, begin, end };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe("the places of calls", () => {
  it("leave one for who reads while others write, and are taken by readers first", async () => {
    const { running, begin, end } = steps(createSlots(3));
    const all = ["w1", "w2", "w3"].map((name) => begin(name, "write"));
    all.push(begin("r1", "read"), begin("r2", "read"));
    await turn();
    expect(running).toEqual(["w1", "w2", "r1"]);
    end("w1");
    await turn();
    expect(running).toEqual(["w2", "r1", "r2"]);
    end("r1");
    await turn();
    expect(running).toEqual(["w2", "r2", "w3"]);
    for (const name of ["w2", "r2", "w3"]) end(name);
    await Promise.all(all);
    expect(running).toEqual([]);
  });

  it("are one for both where there is only one", async () => {
    const { running, begin, end } = steps(createSlots(1));
    const all = [begin("w1", "write"), begin("w2", "write"), begin("r1", "read")];
    const order: string[] = [];
    for (let count = 0; count < all.length; count += 1) {
      await turn();
      order.push(...running);
      end(running[0] ?? "");
    }
    await Promise.all(all);
    expect(order).toEqual(["w1", "r1", "w2"]);
  });

  it("are no longer waited for by who was called off, or reads and got none in time", async () => {
    const slots = createSlots(1);
    const { running, begin, end } = steps(slots);
    const first = begin("w1", "write");
    const stop = new AbortController();
    const waiting = begin("w2", "write", stop.signal);
    stop.abort(new Error("interrupted"));
    await expect(waiting).rejects.toThrow("interrupted");
    const late = slots.run({ access: "read", timeoutMs: 1 }, async () => "never");
    await expect(late).rejects.toThrow("1 other requests were not done within 0.001 s");
    end("w1");
    await first;
    const next = begin("w3", "write");
    await turn();
    expect(running).toEqual(["w3"]);
    end("w3");
    await next;
  });
});
