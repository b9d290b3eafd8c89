import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cacheModes,
  getTaskCacheMode,
  isCachingEnabled,
  isReadable,
  isWritable,
  parseCacheMode,
} from "./cache-mode.ts";
import type { CacheMode } from "./cache-settings.ts";
import { resolveCacheSettings } from "./resolve-cache-settings.ts";

describe("parseCacheMode", () => {
  it("row 7: takes the four modes in any letter case", () => {
    for (const mode of cacheModes) {
      expect(parseCacheMode(mode.toUpperCase(), "--cache")).toBe(mode);
      expect(parseCacheMode(` ${mode} `, "--cache")).toBe(mode);
    }
  });

  it("row 7: refuses anything else, names where it stood and lists the four", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!cacheModes.includes(text.trim().toLowerCase() as CacheMode));
        expect(() => parseCacheMode(text, "--cache")).toThrow(
          expect.objectContaining({
            code: "USAGE",
            exitCode: 2,
            message: expect.stringContaining("cannot use --cache"),
            hint: "the modes are off, read, read-write, write",
          }),
        );
      }),
    );
  });
});

const modes = [undefined, ...cacheModes];
const tasks: readonly (CacheMode | false | undefined)[] = [undefined, false, ...cacheModes];

describe("getTaskCacheMode", () => {
  it("row 30: is the truth table of global × task × environment × command line", () => {
    let rows = 0;
    for (const enabled of [true, false])
      for (const file of modes)
        for (const variable of modes)
          for (const flag of modes)
            for (const task of tasks) {
              const { settings } = resolveCacheSettings({
                flags: flag === undefined ? {} : { defaultMode: flag },
                environment: {
                  HOME: "/home/a",
                  ...(variable === undefined ? {} : { CUENV_CACHE: variable }),
                },
                project: { enabled, ...(file === undefined ? {} : { defaultMode: file }) },
                projectDirectory: "/p",
              });
              const own = { enabled: task !== false, mode: task === false ? undefined : task };
              const run = flag ?? variable ?? file ?? "read-write";
              const holds = (can: (mode: CacheMode) => boolean): boolean =>
                enabled && own.enabled && can(run) && (own.mode === undefined || can(own.mode));
              const mode = getTaskCacheMode(settings, own);
              expect([isReadable(mode), isWritable(mode)]).toEqual([
                holds(isReadable),
                holds(isWritable),
              ]);
              expect(isCachingEnabled(settings, own)).toBe(mode !== "off");
              rows += 1;
            }
    expect(rows).toBe(2 * 5 * 5 * 5 * 6);
  });

  it("row 6: disabled globally beats a task that says cache: true", () => {
    const global = { enabled: false, defaultMode: "read-write" } as const;
    expect(isCachingEnabled(global, { enabled: true, mode: "read-write" })).toBe(false);
    expect(isCachingEnabled(global)).toBe(false);
  });

  it("row 7: the environment beats files, and the command line beats the environment", () => {
    const resolve = (
      flags: { defaultMode?: CacheMode },
      environment: Record<string, string>,
    ): CacheMode =>
      resolveCacheSettings({
        flags,
        environment: { HOME: "/h", ...environment },
        project: { defaultMode: "off" },
        projectDirectory: "/p",
      }).settings.defaultMode;
    expect(resolve({}, {})).toBe("off");
    expect(resolve({}, { CUENV_CACHE: "READ" })).toBe("read");
    expect(resolve({ defaultMode: "write" }, { CUENV_CACHE: "read" })).toBe("write");
  });

  it("a task's own mode narrows the run's and never widens it", () => {
    fc.assert(
      fc.property(fc.constantFrom(...cacheModes), fc.constantFrom(...cacheModes), (run, own) => {
        const mode = getTaskCacheMode(
          { enabled: true, defaultMode: run },
          { enabled: true, mode: own },
        );
        expect(!isReadable(mode) || (isReadable(run) && isReadable(own))).toBe(true);
        expect(!isWritable(mode) || (isWritable(run) && isWritable(own))).toBe(true);
      }),
    );
  });
});
