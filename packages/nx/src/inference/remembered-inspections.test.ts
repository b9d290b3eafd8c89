import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { project } from "../../test/inspected.ts";
import type { InspectedProject } from "./inspection.ts";
import { rememberInspections } from "./remembered-inspections.ts";

describe("remembered inspections", () => {
  let folder = "";
  const path = (name: string): string => join(folder, name);
  /** As it would be after some time: nothing can have changed within the clock's grain. */
  const writeOld = (name: string, text: string): void => {
    writeFileSync(path(name), text);
    utimesSync(path(name), 1_000_000, 1_000_000);
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "remembered-"));
    // ctime cannot be set: the clock is put forward instead.
    vi.useFakeTimers({ now: Date.now() + 60_000, toFake: ["Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  function asking(fields: Readonly<Record<string, Partial<InspectedProject>>>) {
    const asked: (readonly string[])[] = [];
    const remembered = rememberInspections();
    const ask = async (): Promise<readonly InspectedProject[]> =>
      remembered.of(Object.keys(fields), async (changed) => {
        asked.push(changed);
        return {
          version: 1,
          cuenv: "1",
          projects: changed.map((directory) => project([], { directory, ...fields[directory] })),
        };
      });
    return { asked, ask };
  }

  it("asks for all projects at once, and then for those only of which something changed", async () => {
    for (const name of ["shared", "a", "b"]) writeOld(name, "1");
    const { asked, ask } = asking({
      "/a": { read: [path("a"), path("shared"), path("missing")] },
      "/b": { read: [path("b"), path("shared")] },
    });
    expect((await ask()).map(({ directory }) => directory)).toEqual(["/a", "/b"]);
    expect((await ask()).map(({ directory }) => directory)).toEqual(["/a", "/b"]);
    writeOld("b", "22");
    await ask();
    writeOld("missing", "");
    await ask();
    writeOld("shared", "22");
    await ask();
    expect(asked).toEqual([["/a", "/b"], ["/b"], ["/a"], ["/a", "/b"]]);
  });

  it("reads what is wrong anew, and what changed a moment before it was read", async () => {
    const error = { code: "X", message: "", hint: null, file: null, line: null, column: null };
    writeFileSync(path("young"), "1");
    utimesSync(path("young"), Date.now() / 1000, Date.now() / 1000);
    const { asked, ask } = asking({ "/wrong": { error }, "/young": { read: [path("young")] } });
    await ask();
    await ask();
    expect(asked).toEqual([
      ["/wrong", "/young"],
      ["/wrong", "/young"],
    ]);
  });

  it("asks again when a variable of cuenv's changed", async () => {
    const { asked, ask } = asking({ "/a": {} });
    await ask();
    vi.stubEnv("CUENV_CACHE", "off");
    await ask();
    expect(asked).toHaveLength(2);
  });
});
