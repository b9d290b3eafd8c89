import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isRunning, temporaryFolder } from "../test/project.ts";
import { shellQuote } from "./index.ts";

const exec = join(import.meta.dirname, "../test/exec.ts");
const interactive = join(import.meta.dirname, "../test/run-interactive.ts");
/** script(1): the one program at hand that opens a terminal. */
const terminalProgram = "script";
const hasScript = spawnSync(terminalProgram, ["--version"]).status === 0;
if (!hasScript) console.warn("skipped: tests with a terminal need script(1) of util-linux");

/** Runs a command in a terminal of its own; types `answer` when it has printed `prompt`. */
async function inTerminal(
  argv: readonly string[],
  prompt?: string,
  answer?: string,
): Promise<{ readonly printed: string; readonly status: number | null }> {
  // exec: a shell that waited in between would get the Ctrl-C, too, and some (dash) then end with 130 themselves.
  const line = `exec ${argv.map(shellQuote).join(" ")}`;
  const child = spawn(terminalProgram, ["-qec", line, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  let printed = "";
  child.stdout.on("data", (chunk: Buffer) => {
    const before = printed;
    printed += chunk.toString();
    if (prompt !== undefined && !before.includes(prompt) && printed.includes(prompt))
      child.stdin.write(answer ?? "");
  });
  const [status] = (await exit) as [number | null];
  return { printed, status };
}

describe.skipIf(!hasScript)("a command with a terminal", () => {
  it("may read it, for it is in the foreground group", async () => {
    const script =
      'test -t 0 && test -t 1 && printf "name? " && read -r name && echo "hello $name"';
    for (const run of [[exec], [interactive, "60000"]]) {
      const { printed, status } = await inTerminal(
        [process.execPath, ...run, "sh", "-c", script],
        "name? ",
        "world\n",
      );
      expect(printed).toContain("hello world");
      expect(status).toBe(0);
    }
  });

  it("gets Ctrl-C from the terminal once, and decides itself what it means", async () => {
    const script =
      'n=0; trap "n=\\$((n + 1)); echo caught \\$n" INT; echo ready; sleep 0.4; sleep 0.4; exit "$n"';
    for (const run of [[exec], [interactive, "60000"]]) {
      const { printed, status } = await inTerminal(
        [process.execPath, ...run, "sh", "-c", script],
        "ready",
        "\u0003",
      );
      expect(printed).toContain("caught 1");
      expect(printed).not.toContain("caught 2");
      expect(status).toBe(1);
    }
  });

  it("is killed at its timeout with all that it started, although the group is ours", async () => {
    const file = join(temporaryFolder(), "pids");
    const script = `sleep 60 & echo $! > ${file}; sh -c 'sleep 60 & echo $! >> ${file}; wait' & wait`;
    const { status } = await inTerminal([process.execPath, interactive, "700", "sh", "-c", script]);
    expect(status).toBe(124);
    const pids = readFileSync(file, "utf8").trim().split("\n").map(Number);
    expect(pids).toHaveLength(2);
    expect(pids.map(isRunning)).toEqual([false, false]);
  });
});
