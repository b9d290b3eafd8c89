import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { leaseHeartbeatMs, leaseHolder, leaseStaleMs, tryAcquireLease } from "./lease.ts";

const holdAndDie = `import(${JSON.stringify(new URL("./lease.ts", import.meta.url).href)}).then(({ tryAcquireLease }) => {
  tryAcquireLease(process.env.LEASE);
  process.kill(process.pid, "SIGKILL");
});`;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lease-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function acquire(path: string) {
  const attempt = tryAcquireLease(path);
  if (attempt.kind !== "acquired") throw new Error(`expected a lease: ${attempt.kind}`);
  return attempt.lease;
}

describe("a lease", () => {
  it("is held by one at a time, and free after its release", () => {
    const path = join(folder, "leases", "k");
    const lease = acquire(path);
    expect(tryAcquireLease(path).kind).toBe("held");
    lease.release();
    expect(existsSync(path)).toBe(false);
    acquire(path).release();
  });

  it("is taken over from a holder that fell silent, who then does not remove the new holder's", () => {
    const path = join(folder, "k");
    const dead = acquire(path);
    const past = Date.now() / 1000 - leaseStaleMs / 1000 - 1;
    utimesSync(path, past, past);
    const heir = acquire(path);
    dead.release();
    expect(tryAcquireLease(path).kind).toBe("held");
    heir.release();
  });

  it("is nobody's to wait for when it is stale and cannot be removed, as in a folder that can only be read", () => {
    const path = join(folder, "k");
    mkdirSync(path);
    const past = Date.now() / 1000 - leaseStaleMs / 1000 - 1;
    utimesSync(path, past, past);
    expect(tryAcquireLease(path).kind).toBe("unavailable");
  });

  it("is taken over from a FIFO, which is not waited for", () => {
    const path = join(folder, "k");
    spawnSync("mkfifo", [path]);
    const past = (Date.now() - leaseHeartbeatMs - 500) / 1000;
    utimesSync(path, past, past);
    expect(tryAcquireLease(path).kind).toBe("acquired");
  });

  it("is taken over when its time lies far in the future, as after a clock was set back", () => {
    const path = join(folder, "k");
    writeFileSync(path, "someone");
    const future = Date.now() / 1000 + 3600;
    utimesSync(path, future, future);
    expect(tryAcquireLease(path).kind).toBe("acquired");
  });

  it("is taken over at once from a holder that was killed, and not from one that lives", () => {
    const path = join(folder, "k");
    const killed = spawnSync(process.execPath, ["--conditions=@cuenv/source", "-e", holdAndDie], {
      env: { ...process.env, LEASE: path },
    });
    expect(killed.signal).toBe("SIGKILL");
    expect(readFileSync(path, "latin1")).not.toBe("");
    const heir = acquire(path);
    expect(tryAcquireLease(path).kind).toBe("held");
    heir.release();
  });

  it("that was made and never written is taken over after a heartbeat", () => {
    const path = join(folder, "k");
    writeFileSync(path, "");
    expect(tryAcquireLease(path).kind).toBe("held");
    const past = Date.now() / 1000 - leaseHeartbeatMs / 1000 - 1;
    utimesSync(path, past, past);
    expect(tryAcquireLease(path).kind).toBe("acquired");
  });

  it("tells the process of the task, that of the last attempt, and stays its holder's", () => {
    const path = join(folder, "k");
    const lease = acquire(path);
    expect(leaseHolder(path)?.startedPid).toBeUndefined();
    lease.noteStart(4_000_000);
    lease.noteStart(77);
    expect(leaseHolder(path)).toEqual({
      owner: expect.stringContaining(`.${process.pid}.`),
      startedPid: 77,
    });
    expect(tryAcquireLease(path).kind).toBe("held");
    rmSync(path);
    writeFileSync(path, "another owner");
    lease.noteStart(78);
    lease.release();
    expect(readFileSync(path, "utf8")).toBe("another owner");
  });

  it("is unavailable, not an error, where no file can be made", () => {
    writeFileSync(join(folder, "file"), "");
    expect(tryAcquireLease(join(folder, "file", "k")).kind).toBe("unavailable");
  });

  it("does not mind being cleared by somebody", () => {
    const path = join(folder, "leases", "k");
    const lease = acquire(path);
    rmSync(join(folder, "leases"), { recursive: true });
    lease.release();
    mkdirSync(join(folder, "leases"));
    writeFileSync(path, "another owner");
    lease.release();
    expect(readFileSync(path, "utf8")).toBe("another owner");
  });
});
