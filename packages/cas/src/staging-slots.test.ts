import { describe, expect, it } from "vitest";
import type { FileToStage } from "./stage-file.ts";
import { openStagingSlots } from "./staging-slots.ts";

const file = (target: string, executable = false): FileToStage => ({
  entry: {
    kind: "file",
    path: target,
    digest: { hash: "ab".repeat(32), sizeBytes: 5 },
    executable,
  },
  target,
});

describe("slots of files to stage", () => {
  it("give what was queued to one thread, first in first out, whatever the names are", () => {
    const slots = openStagingSlots();
    const lists = [
      [file('/s/ä\u0301 \n"\\'), file("/s/run", true)],
      [file("/s/\u{1f9ca}"), file("/s/\ud800")],
      [],
    ];
    const queued = lists.map((list) => slots.queue(list));
    const other = openStagingSlots(slots.shared);
    const taken = lists.map(() => other.take(7, 0));
    expect(taken.map((each) => each?.files)).toEqual(lists);
    expect(taken.map((each) => each?.slot)).toEqual(queued);
    expect(slots.state(queued[0] ?? -1)).toEqual({ kind: "taken", thread: 7 });
    expect(other.take(8, 0)).toBeUndefined();
  });

  it("are taken back by who queued, or taken by a thread, never both", () => {
    const slots = openStagingSlots();
    const first = slots.queue([file("/s/a")]) ?? -1;
    const second = slots.queue([file("/s/b")]) ?? -1;
    expect(slots.takeBack(first)).toBe(true);
    expect(slots.takeBack(first)).toBe(false);
    expect(slots.state(first)).toEqual({ kind: "free" });
    expect(slots.take(0, 0)?.slot).toBe(second);
    expect(slots.takeBack(second)).toBe(false);
  });

  it("say how it ended, and whether it is still wanted", () => {
    const slots = openStagingSlots();
    for (const isStaged of [true, false]) {
      const slot = slots.queue([file("/s/a")]) ?? -1;
      expect(slots.isCalledOff(slot)).toBe(false);
      slots.callOff(slot);
      expect(slots.take(0, 0)?.slot).toBe(slot);
      expect(slots.isCalledOff(slot)).toBe(true);
      slots.finish(slot, isStaged);
      expect(slots.state(slot)).toEqual({ kind: isStaged ? "staged" : "failed" });
      slots.release(slot);
      expect(slots.state(slot)).toEqual({ kind: "free" });
    }
  });

  it("take so many lists, and none that is too long", () => {
    const slots = openStagingSlots();
    expect(slots.queue(Array.from({ length: 16 }, () => file(`/${"x".repeat(4000)}`)))).toBe(
      undefined,
    );
    expect(slots.waiting()).toBe(0);
    let count = 0;
    while (slots.queue([file("/s/a")]) !== undefined) count += 1;
    expect(count).toBe(16);
    expect(slots.waiting()).toBe(16);
  });

  it("are waited for no longer than is asked for", () => {
    const slots = openStagingSlots();
    expect(slots.ready()).toBe(0);
    slots.announce(true);
    expect(slots.ready()).toBe(1);
    expect(slots.take(0, 5)).toBeUndefined();
    slots.announce(false);
    expect(slots.ready()).toBe(0);
  });
});
