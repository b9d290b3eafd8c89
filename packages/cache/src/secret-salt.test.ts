import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "salt-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** As another process would: nothing is remembered. */
async function saltOf(directory: string | undefined): Promise<string> {
  vi.resetModules();
  const { secretSalt } = await import("./secret-salt.ts");
  return secretSalt(directory);
}

describe("the salt of secrets", () => {
  it("is made once, at random, for its owner only", async () => {
    const salt = await saltOf(folder);
    expect(salt).toMatch(/^[0-9a-f]{64}$/);
    expect(await saltOf(folder)).toBe(salt);
    expect(statSync(join(folder, "v1", "secret-salt")).mode & 0o777).toBe(0o600);
    expect(await saltOf(undefined)).not.toBe(salt);
  });

  it("is read by who may not write, who makes none", async () => {
    vi.resetModules();
    const { secretSalt } = await import("./secret-salt.ts");
    expect(secretSalt(join(folder, "a"), false)).toMatch(/^[0-9a-f]{64}$/);
    expect(existsSync(join(folder, "a"))).toBe(false);
    const salt = await saltOf(folder);
    vi.resetModules();
    const again = await import("./secret-salt.ts");
    expect(again.secretSalt(folder, false)).toBe(salt);
  });

  it("is made anew where a killed process left half of it", async () => {
    mkdirSync(join(folder, "v1"));
    const path = join(folder, "v1", "secret-salt");
    for (const half of ["", "0123"]) {
      writeFileSync(path, half);
      const salt = await saltOf(folder);
      expect(readFileSync(path, "latin1")).toBe(salt);
      expect(await saltOf(folder)).toBe(salt);
    }
  });

  it("is told to be kept nowhere where a folder lies in its place, which stays", async () => {
    const path = join(folder, "v1", "secret-salt");
    mkdirSync(join(path, "mine"), { recursive: true });
    vi.resetModules();
    const { secretSalt } = await import("./secret-salt.ts");
    const occupied: string[] = [];
    for (let time = 1; time <= 2; time += 1)
      expect(secretSalt(folder, true, (each) => occupied.push(each))).toMatch(/^[0-9a-f]{64}$/);
    expect(occupied).toEqual([path]);
    expect(readdirSync(join(folder, "v1"))).toEqual(["secret-salt"]);
    expect(readdirSync(path)).toEqual(["mine"]);
  });

  it("is the first one's when several processes make it at once", async () => {
    const path = join(folder, "v1", "secret-salt");
    const first = "ab".repeat(32);
    vi.resetModules();
    // Another process's salt appears as soon as this one has seen that there is none.
    vi.doMock("node:fs", async (importOriginal) => {
      const fs = await importOriginal<typeof import("node:fs")>();
      const openFirst = (...args: Parameters<typeof fs.openSync>): unknown => {
        try {
          return fs.openSync(...args);
        } catch (error) {
          mkdirSync(join(folder, "v1"), { recursive: true });
          writeFileSync(path, first);
          throw error;
        }
      };
      return { ...fs, openSync: openFirst };
    });
    const { secretSalt } = await import("./secret-salt.ts");
    vi.doUnmock("node:fs");
    expect(secretSalt(folder)).toBe(first);
    expect(readFileSync(path, "latin1")).toBe(first);
    expect(readdirSync(join(folder, "v1"))).toEqual(["secret-salt"]);
  });

  it("is one for this process only where the folder cannot be written", async () => {
    writeFileSync(join(folder, "v1"), "no folder");
    expect(await saltOf(folder)).toMatch(/^[0-9a-f]{64}$/);
  });
});
