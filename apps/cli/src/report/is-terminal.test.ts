import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";

const module = join(import.meta.dirname, "is-terminal.ts");
/** Says on fd 3 of each stream whether it is a terminal, by ours and by Node's word, and whether `net` was loaded before Node was asked. */
const program = `import { isTerminal } from ${JSON.stringify(module)};
  import { writeSync } from "node:fs";
  const ours = [isTerminal(1), isTerminal(2)];
  const loaded = process.moduleLoadList.includes("NativeModule net");
  writeSync(3, JSON.stringify({ ours, nodes: [process.stdout.isTTY === true, process.stderr.isTTY === true], loaded }));`;

function answers(stdout: number | "pipe" | "ignore", stderr: number | "pipe" | "ignore") {
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", stdout, stderr, "pipe"],
  });
  return JSON.parse(String(child.output[3])) as unknown;
}

describe("whether a stream is a terminal", () => {
  const none = [false, false];

  it("is no for pipes and files, without making a stream of them", () => {
    const folder = mkdtempSync(join(tmpdir(), "cuenv-terminal-"));
    const file = openSync(join(folder, "file"), "w");
    onTestFinished(() => {
      closeSync(file);
      rmSync(folder, { recursive: true });
    });
    expect(answers("pipe", "pipe")).toEqual({ ours: none, nodes: none, loaded: false });
    expect(answers(file, file)).toEqual({ ours: none, nodes: none, loaded: false });
  });

  it("is no for /dev/null, and for a stream that is closed", () => {
    expect(answers("ignore", "ignore")).toMatchObject({ ours: none, nodes: none });
    const closed = spawnSync(
      "sh",
      ["-c", 'exec "$0" "$@" 1>&- 2>&-', process.execPath, "--input-type=module", "-e", program],
      { stdio: ["ignore", "pipe", "pipe", "pipe"] },
    );
    expect(JSON.parse(String(closed.output[3]))).toMatchObject({ ours: none });
  });

  // script(1) runs a command in one.
  const hasScript = spawnSync("script", ["--version"]).error === undefined;
  if (!hasScript) console.warn("SKIPPED: script(1) is needed for a terminal and not there");

  it.skipIf(!hasScript)("is yes in a terminal", () => {
    const folder = mkdtempSync(join(tmpdir(), "cuenv-terminal-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const answer = join(folder, "answer");
    const command = `exec "$NODE" --input-type=module -e "$PROGRAM" 3> "$ANSWER"`;
    spawnSync("script", ["-qec", command, "/dev/null"], {
      env: { ...process.env, NODE: process.execPath, PROGRAM: program, ANSWER: answer },
    });
    const said = spawnSync("cat", [answer], { encoding: "utf8" }).stdout;
    expect(JSON.parse(said)).toMatchObject({ ours: [true, true], nodes: [true, true] });
  });
});
