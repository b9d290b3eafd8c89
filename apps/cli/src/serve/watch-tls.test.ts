import type { TlsMaterial } from "@cuenv/server";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { makeCertificates } from "../../test/certificates.ts";
import { watchTls } from "./watch-tls.ts";

describe("watchTls", () => {
  let first: TlsMaterial;
  let second: TlsMaterial;
  beforeAll(async () => {
    const { of } = await makeCertificates(["one", "two"]);
    [first, second] = [of("one"), of("two")];
  });

  /** `files` is what the next look finds; `look` is one that the clock brings. */
  function watching() {
    vi.useFakeTimers();
    const state = {
      files: (): TlsMaterial => first,
      used: [] as TlsMaterial[],
      told: [] as string[],
    };
    const watch = watchTls({
      current: first,
      read: () => state.files(),
      use: (material) => void state.used.push(material),
      onTrouble: (message) => void state.told.push(`trouble: ${message}`),
      onRenewed: (message) => void state.told.push(message),
      everyMs: 10,
    });
    return { state, watch, look: () => vi.advanceTimersByTime(10) };
  }
  const broken = (): never => {
    throw new Error("no pair");
  };

  it("uses new files once, and says until when they are good", () => {
    const { state, watch, look } = watching();
    look();
    expect([state.used, state.told]).toEqual([[], []]);
    state.files = () => second;
    look();
    look();
    watch.stop();
    vi.useRealTimers();
    expect(state.used).toEqual([second]);
    expect(state.told).toEqual([expect.stringMatching(/renewed, valid until .*GMT$/)]);
  });

  it("keeps the old ones where the new are broken, tells of it once, and not of the moment between two files", () => {
    const { state, watch, look } = watching();
    state.files = broken;
    look();
    state.files = () => second;
    look();
    expect(state.told).toEqual([expect.stringContaining("renewed")]);
    state.files = broken;
    for (let count = 0; count < 5; count += 1) look();
    expect(state.told.slice(1)).toEqual([
      "trouble: the TLS certificate of before stays in use: no pair",
    ]);
    state.files = () => first;
    look();
    watch.stop();
    vi.useRealTimers();
    expect(state.used).toEqual([second, first]);
  });

  it("answers who asks at once, whatever it finds", () => {
    const { state, watch } = watching();
    watch.lookNow();
    state.files = broken;
    watch.lookNow();
    watch.lookNow();
    state.files = () => second;
    watch.lookNow();
    watch.stop();
    vi.useRealTimers();
    expect(state.told).toEqual([
      "TLS certificates are as they were",
      "trouble: the TLS certificate of before stays in use: no pair",
      "trouble: the TLS certificate of before stays in use: no pair",
      expect.stringContaining("renewed"),
    ]);
  });
});
