import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isGroupRunning } from "./process-group.ts";

describe("a process group", () => {
  it("runs as long as one of its processes does, also without its leader", async () => {
    const leader = spawn("sh", ["-c", "sleep 60 & echo"], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const group = leader.pid ?? 0;
    await once(leader, "exit");
    expect(isGroupRunning(group)).toBe(true);
    process.kill(-group, "SIGKILL");
    await expect.poll(() => isGroupRunning(group)).toBe(false);
  });

  it.runIf(process.platform === "linux")(
    "does not run when all that is left of it has ended, and nobody asked how",
    async () => {
      // What the shell starts ends, and the shell becomes a sleep, which never asks for its exit code.
      const script = "setsid sh -c 'echo $$; exec true' & exec sleep 60";
      const parent = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
      try {
        const [line] = (await once(parent.stdout, "data")) as [Buffer];
        const pid = Number(line.toString().trim());
        await expect.poll(() => readFileSync(`/proc/${pid}/stat`, "latin1")).toMatch(/\) Z /);
        expect(isGroupRunning(pid)).toBe(false);
      } finally {
        parent.kill("SIGKILL");
      }
    },
  );

  it("that nobody has is none", () => {
    const { pid } = spawnSync("true");
    expect(isGroupRunning(pid)).toBe(false);
  });
});
