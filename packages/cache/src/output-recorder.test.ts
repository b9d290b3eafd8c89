import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createOutputRecorder } from "./output-recorder.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "recorder-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("an output recorder", () => {
  it("keeps small output in memory", () => {
    const recorder = createOutputRecorder(() => join(folder, "spool"));
    recorder.add(Buffer.from("a\0b"));
    recorder.add(Buffer.from("c"));
    expect(recorder.source()).toEqual(Buffer.from("a\0bc"));
    expect(existsSync(join(folder, "spool"))).toBe(false);
  });

  it("moves large output to a file, whole and in order, and removes it at the end", () => {
    const recorder = createOutputRecorder(() => folder);
    const chunks = Array.from({ length: 90 }, (_, index) => Buffer.alloc(100_000, index));
    for (const chunk of chunks) recorder.add(chunk);
    const source = recorder.source();
    if (source === undefined || !("path" in source)) throw new Error("expected a file");
    expect(readFileSync(source.path).equals(Buffer.concat(chunks))).toBe(true);
    recorder.dispose();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("loses a recording it cannot keep, without an error", () => {
    for (const spool of [() => undefined, () => join(folder, "nowhere")]) {
      const recorder = createOutputRecorder(spool);
      recorder.add(Buffer.alloc(5_000_000));
      recorder.add(Buffer.from("more"));
      expect(recorder.source()).toBeUndefined();
      recorder.dispose();
    }
  });
});
