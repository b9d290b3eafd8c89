import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { ancestorProcesses } from "./ancestor-processes.ts";

const source = JSON.stringify(new URL("./ancestor-processes.ts", import.meta.url).href);
const program = `import(${source}).then((m) => console.log([...m.ancestorProcesses(process.env.AS)].join(" ")))`;

/** The ancestors of a process that we start through a shell. */
function ancestorsOfGrandchild(platform: string): number[] {
  const { stdout, stderr } = spawnSync(
    "sh",
    ["-c", `"$NODE" --conditions=@cuenv/source -e '${program}'; exit $?`],
    { env: { ...process.env, NODE: process.execPath, AS: platform }, encoding: "utf8" },
  );
  expect(stderr).toBe("");
  return stdout.trim().split(" ").map(Number);
}

describe("the ancestors of a process", () => {
  const hasPs = spawnSync("ps", ["-A"]).status === 0;
  it.each(hasPs ? ["linux", "darwin"] : ["linux"])(
    "are all that started it, nearest first, as %s tells them",
    (platform) => {
      const [shell, parent, ...rest] = ancestorsOfGrandchild(platform);
      expect(shell).toBeGreaterThan(1);
      expect(parent).toBe(process.pid);
      expect(rest).toContain(process.ppid);
      expect(rest.at(-1)).toBe([...ancestorProcesses()].at(-1));
    },
  );

  it("are the parent alone where the system does not say more", () => {
    const path = process.env["PATH"];
    try {
      process.env["PATH"] = "/nowhere";
      expect([...ancestorProcesses("darwin")]).toEqual([process.ppid]);
    } finally {
      process.env["PATH"] = path;
    }
  });
});
