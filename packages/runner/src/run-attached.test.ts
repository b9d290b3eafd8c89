import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { isRunning, temporaryFolder } from "../test/project.ts";

const fixture = join(import.meta.dirname, "../test/exec.ts");

describe("runAttached", () => {
  it.each([
    ["printf 'a\\0b\\377'; printf 'err' >&2; exit 3", 3],
    ["cat", 0],
    ["kill -TERM $$", 143],
  ])(
    "gives bytes, exit code and signals of the command, and not a byte more (row 41): %s",
    (script, code) => {
      const options = { input: "from stdin\0\n", encoding: "latin1" } as const;
      const plain = spawnSync("sh", ["-c", script], options);
      const ours = spawnSync(process.execPath, [fixture, "sh", "-c", script], options);
      expect([ours.stdout, ours.stderr]).toEqual([plain.stdout, plain.stderr]);
      expect(ours.status).toBe(code);
    },
  );

  it("hands signals on to the command, which decides what they mean", async () => {
    const ready = join(temporaryFolder(), "ready");
    for (const [signal, number] of [
      ["SIGINT", "INT"],
      ["SIGTERM", "TERM"],
      ["SIGHUP", "HUP"],
    ] as const) {
      const script = `trap 'exit 7' ${number}; : > "$0"; while :; do sleep 0.02; done`;
      const child = spawn(process.execPath, [fixture, "sh", "-c", script, `${ready}${number}`], {
        stdio: "ignore",
      });
      const exit = once(child, "exit");
      while (!existsSync(`${ready}${number}`)) await sleep(5);
      child.kill(signal);
      expect(await exit).toEqual([7, null]);
    }
  });

  it("says 127 for a command that is not there", () => {
    expect(spawnSync(process.execPath, [fixture, "no-such-program-of-ours"]).status).toBe(127);
  });

  it("does not keep a command alive that outlived an uncaught error of ours", () => {
    const crash = `import { runAttached } from ${JSON.stringify(join(import.meta.dirname, "index.ts"))};
      setTimeout(() => { throw new Error("crash") }, 200);
      await runAttached({ argv: ["sh", "-c", "echo $$; exec sleep 60"], cwd: "/", env: process.env });`;
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", crash], {
      encoding: "utf8",
    });
    expect(run.status).toBe(1);
    expect(isRunning(Number(run.stdout.trim()))).toBe(false);
  });
});
