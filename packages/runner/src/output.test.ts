import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createOutput, type OutputOptions, type OutputSink, type RunOutput } from "./index.ts";

interface Captured {
  readonly output: RunOutput;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Every write in order, on whichever stream. */
  readonly writes: readonly string[];
}

function capture(options: Partial<OutputOptions> & Pick<OutputOptions, "mode">): Captured {
  const bytes = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const writes: string[] = [];
  const sink = (stream: "stdout" | "stderr"): OutputSink => ({
    write(chunk) {
      bytes[stream].push(Uint8Array.from(chunk));
      writes.push(Buffer.from(chunk).toString());
    },
  });
  const output = createOutput({
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    colors: false,
    names: ["a", "long"],
    ...options,
  });
  const text = (stream: "stdout" | "stderr"): string =>
    Buffer.concat(bytes[stream]).toString("latin1");
  return { output, stdout: () => text("stdout"), stderr: () => text("stderr"), writes };
}

const utf8 = (text: string): Uint8Array => Buffer.from(text, "utf8");
const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

describe("createOutput: raw", () => {
  it("writes byte for byte, each stream on its own (row 46)", async () => {
    const run = capture({ mode: "raw" });
    const task = run.output.task("a");
    await task.stdout(Uint8Array.of(0, 255, 13));
    await task.stderr(utf8("e"));
    await task.end();
    expect(run.stdout()).toBe("\0\u00FF\r");
    expect(run.stderr()).toBe("e");
  });
});

describe("createOutput: prefixed", () => {
  it("puts the task's name, padded, before every line of each stream", async () => {
    const run = capture({ mode: "prefixed" });
    await run.output.task("a").stdout(utf8("one\ntwo\n\n"));
    await run.output.task("long").stderr(utf8("three\n"));
    expect(run.stdout()).toBe(latin1("a    │ one\na    │ two\na    │ \n"));
    expect(run.stderr()).toBe(latin1("long │ three\n"));
  });

  it("never mixes lines of tasks, and ends a last line that was not ended", async () => {
    const run = capture({ mode: "prefixed" });
    const [first, second] = [run.output.task("a"), run.output.task("long")];
    await first.stdout(utf8("be"));
    await second.stdout(utf8("other\n"));
    await first.stdout(utf8("gin\nrest"));
    await first.end();
    await first.end();
    expect(run.stdout()).toBe(latin1("long │ other\na    │ begin\na    │ rest\n"));
  });

  it("shows of a progress line what a terminal would show in the end", async () => {
    const run = capture({ mode: "prefixed" });
    const task = run.output.task("a");
    await task.stdout(utf8("10%\r50%"));
    await task.stdout(utf8("\r100%\r\nwindows\r\n"));
    expect(run.stdout()).toBe(latin1("a    │ 100%\na    │ windows\n"));
  });

  it("keeps bytes that are no text", async () => {
    const run = capture({ mode: "prefixed" });
    await run.output.task("a").stdout(Uint8Array.of(0, 255, 10));
    expect(run.stdout()).toBe(`${latin1("a    │ ")}\0\u00FF\n`);
  });

  it("cuts a line that never ends, so that memory stays bounded, and loses nothing of it", async () => {
    const run = capture({ mode: "prefixed" });
    const task = run.output.task("a");
    for (let index = 0; index < 40; index += 1) await task.stdout(utf8("x".repeat(10_000)));
    expect(run.stdout().length).toBeGreaterThan(300_000);
    await task.end();
    expect(run.stdout().replaceAll(/[^x]/g, "")).toHaveLength(400_000);
  });

  it("does not cut a progress line that is redrawn for ever", async () => {
    const run = capture({ mode: "prefixed" });
    const task = run.output.task("a");
    for (let index = 0; index < 40; index += 1) await task.stdout(utf8(`\r${"x".repeat(9_999)}`));
    await task.stdout(utf8("\n"));
    expect(run.stdout()).toBe(latin1(`a    │ ${"x".repeat(9_999)}\n`));
  });

  it("gives the same lines for every cutting into chunks", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "\n", "\r", "é"), maxLength: 40 }),
        fc.array(fc.nat(50), { maxLength: 6 }),
        (text, cuts) => {
          const bytes = utf8(text);
          const lines = (ends: readonly number[]): string => {
            const run = capture({ mode: "prefixed" });
            const task = run.output.task("a");
            let start = 0;
            for (const end of [...ends, bytes.length]) {
              void task.stdout(bytes.subarray(start, end));
              start = end;
            }
            void task.end();
            return run.stdout();
          };
          const ends = cuts
            .map((cut) => cut % (bytes.length + 1))
            .toSorted((left, right) => left - right);
          expect(lines(ends)).toBe(lines([]));
        },
      ),
    );
  });

  it("colours the names when it may, each task in its own, and takes a colour back that a line left on", async () => {
    const run = capture({ mode: "prefixed", colors: true });
    await run.output.task("a").stdout(utf8("\u001B[31mred\n"));
    await run.output.task("long").stdout(utf8("plain\n"));
    const [first = "", second = ""] = run.stdout().split("\n");
    expect(first).toBe(latin1("\u001B[0;36ma    │ \u001B[0m\u001B[31mred"));
    expect(second.startsWith("\u001B[0;35m")).toBe(true);
  });
});

describe("createOutput: grouped", () => {
  it("writes a task's output at its end, below a header on stderr, both streams in the order of writing", async () => {
    const run = capture({ mode: "grouped" });
    const [first, second] = [run.output.task("a"), run.output.task("long")];
    await first.stdout(utf8("1\n"));
    await second.stdout(utf8("2\n"));
    await first.stderr(utf8("3\n"));
    await first.stdout(utf8("4"));
    expect(run.writes).toEqual([]);
    await first.end();
    await second.end();
    expect(run.writes.map((write) => write.replace(/─{3,}/, "─"))).toEqual([
      "── a ─\n",
      "1\n",
      "3\n",
      "4",
      "\n",
      "── long ─\n",
      "2\n",
    ]);
    expect(run.stdout()).toBe("1\n4\n2\n");
  });

  it("marks groups for GitHub Actions, all on stdout, for the runner reads the two streams apart", async () => {
    const run = capture({ mode: "grouped", github: true });
    const task = run.output.task("a");
    await task.stdout(utf8("out\n"));
    await task.stderr(utf8("err"));
    await task.end();
    expect(run.stdout()).toBe("::group::a\nout\nerr\n::endgroup::\n");
    expect(run.stderr()).toBe("");
  });

  it("writes nothing for a task that said nothing", async () => {
    const run = capture({ mode: "grouped" });
    await run.output.task("a").end();
    expect(run.writes).toEqual([]);
  });

  it("never mixes groups of tasks that end at once into a slow reader", async () => {
    const written: string[] = [];
    const slow: OutputSink = {
      async write(chunk) {
        await sleep(2);
        written.push(Buffer.from(chunk).toString());
      },
    };
    const output = createOutput({
      mode: "grouped",
      stdout: slow,
      stderr: slow,
      colors: false,
      names: [],
      github: true,
    });
    const tasks = ["a", "b", "c"].map((name) => output.task(name));
    for (const task of tasks) await task.stdout(utf8("x\n"));
    await Promise.all(tasks.map(async (task) => await task.end()));
    expect(written.join("")).toBe(
      ["a", "b", "c"].map((name) => `::group::${name}\nx\n::endgroup::\n`).join(""),
    );
  });

  it("keeps output beyond its memory in a file without a name, and brings it back in order", async () => {
    const files = (): string[] =>
      readdirSync(tmpdir()).filter((name) => name.startsWith("cuenv-output-"));
    const before = files();
    const run = capture({ mode: "grouped", github: true });
    const task = run.output.task("a");
    const heap = process.memoryUsage().arrayBuffers;
    let expected = "";
    for (let index = 0; index < 600; index += 1) {
      const line = `${String(index).padStart(9, "0")}${"x".repeat(10_000)}\n`;
      await (index % 3 === 0 ? task.stderr : task.stdout)(utf8(line));
      expected += line;
    }
    expect(process.memoryUsage().arrayBuffers - heap).toBeLessThan(24_000_000);
    await task.end();
    expect(run.stdout()).toBe(`::group::a\n${expected}::endgroup::\n`);
    expect(files().filter((name) => !before.includes(name))).toEqual([]);
  });

  it("loses nothing when there is no place for a file", async () => {
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = "/no/such/folder";
    try {
      const run = capture({ mode: "grouped", github: true });
      const task = run.output.task("a");
      for (let index = 0; index < 300; index += 1)
        await task.stdout(utf8(`${index}:${"x".repeat(10_000)}\n`));
      await task.end();
      const lines = run
        .stdout()
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("::"));
      expect(lines.map((line) => Number(line.split(":")[0]))).toEqual(
        Array.from({ length: 300 }, (_, index) => index),
      );
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
    }
  });
});
