import { describe, expect, it } from "vitest";
import { createProgress } from "./progress.ts";

function drawn(options: { readonly isTTY?: boolean; readonly env?: NodeJS.ProcessEnv }) {
  let time = 0;
  let text = "";
  const progress = createProgress("Checking", {
    stderr: { isTTY: options.isTTY ?? true, write: (more) => (text += more) },
    env: options.env ?? {},
    now: () => time,
  });
  progress.report(1, 10);
  time = 500;
  progress.report(1200, 5 * 1024 * 1024);
  progress.report(1201, 5 * 1024 * 1024);
  time = 700;
  progress.report(2, 1);
  const before = text;
  progress.end();
  return { before, after: text.slice(before.length) };
}

describe("progress", () => {
  it("is one line, redrawn now and then, and leaves nothing", () => {
    const { before, after } = drawn({});
    const first = "Checking … 1200 files, 5.0 MiB";
    expect(before).toBe(`\r${first}\r${"Checking … 2 files, 1 B".padEnd(first.length)}`);
    expect(after).toMatch(/^\r +\r$/);
  });

  it("is silent without a terminal, in CI and on a dumb one", () => {
    for (const options of [{ isTTY: false }, { env: { CI: "true" } }, { env: { TERM: "dumb" } }])
      expect(drawn(options)).toEqual({ before: "", after: "" });
    expect(drawn({ env: { CI: "false" } }).before).not.toBe("");
  });
});
