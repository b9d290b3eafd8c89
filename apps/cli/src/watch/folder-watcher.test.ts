import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { createFolderWatcher, type FolderWatcher } from "./folder-watcher.ts";
import { createQuietBell } from "./quiet-bell.ts";

function watching(...args: Parameters<typeof createFolderWatcher> | []): {
  readonly folder: string;
  readonly watcher: FolderWatcher;
} {
  const folder = mkdtempSync(join(tmpdir(), "watcher-"));
  const watcher =
    args.length === 0 ? createFolderWatcher(() => undefined) : createFolderWatcher(...args);
  onTestFinished(() => {
    watcher.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, watcher };
}

/** Whether something is told within this time. */
async function told(watcher: Pick<FolderWatcher, "next">, ms = 600): Promise<boolean> {
  try {
    await watcher.next(AbortSignal.timeout(ms));
    return true;
  } catch {
    return false;
  }
}

describe("following folders", () => {
  it("tells of what happens in them, once for all that happened, and not of others", async () => {
    const { folder, watcher } = watching();
    mkdirSync(join(folder, "other"));
    expect(watcher.follow(new Set([folder]))).toBe(true);
    expect(watcher.follow(new Set([folder]))).toBe(false);
    writeFileSync(join(folder, "a"), "1");
    writeFileSync(join(folder, "b"), "1");
    expect(await told(watcher)).toBe(true);
    expect(await told(watcher, 200)).toBe(false);
    writeFileSync(join(folder, "other/c"), "1");
    expect(await told(watcher, 200)).toBe(false);
  });

  it("follows a folder that was removed and made again, and drops those that are not named any more", async () => {
    const { folder, watcher } = watching();
    const inner = join(folder, "inner");
    mkdirSync(inner);
    watcher.follow(new Set([inner]));
    rmdirSync(inner);
    await told(watcher);
    expect(watcher.follow(new Set([inner]))).toBe(false);
    mkdirSync(inner);
    expect(watcher.follow(new Set([inner]))).toBe(true);
    writeFileSync(join(inner, "a"), "1");
    expect(await told(watcher)).toBe(true);
    watcher.follow(new Set());
    writeFileSync(join(inner, "b"), "1");
    expect(await told(watcher, 200)).toBe(false);
  });

  it("follows a folder that another one took the place of at once, with its inode", async () => {
    const { folder, watcher } = watching();
    const inner = join(folder, "inner");
    mkdirSync(inner);
    watcher.follow(new Set([inner]));
    for (const file of ["a", "b"]) {
      rmSync(inner, { recursive: true });
      mkdirSync(inner);
      expect(await told(watcher)).toBe(true);
      expect(watcher.follow(new Set([inner]))).toBe(true);
      writeFileSync(join(inner, file), "1");
      expect(await told(watcher)).toBe(true);
    }
  });

  it("looks now and then where the system follows no more, and says so once", async () => {
    const reasons: string[] = [];
    const { folder, watcher } = watching(
      (reason) => reasons.push(reason),
      () => {
        throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
      },
    );
    mkdirSync(join(folder, "a"));
    watcher.follow(new Set([folder, join(folder, "a")]));
    expect(reasons).toEqual(["ENOSPC"]);
    expect(await told(watcher, 3_000)).toBe(true);
    expect(await told(watcher, 3_000)).toBe(true);
  });
});

describe("the bell", () => {
  it("waits until it is quiet, but not for ever", async () => {
    const bell = createQuietBell(50);
    const started = performance.now();
    bell.ring();
    const ringing = setInterval(bell.ring, 10);
    onTestFinished(() => clearInterval(ringing));
    await bell.next(AbortSignal.timeout(5_000));
    expect(performance.now() - started).toBeGreaterThan(300);
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it("tells of what happened before somebody waited, and ends with the signal", async () => {
    const bell = createQuietBell(10);
    bell.ring();
    await setTimeout(50);
    expect(await told(bell)).toBe(true);
    const controller = new AbortController();
    const waiting = bell.next(controller.signal);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});
