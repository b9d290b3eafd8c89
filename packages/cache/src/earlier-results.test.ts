import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openEarlierResults } from "./earlier-results.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "earlier-"));
  path = join(folder, "earlier-results.jsonl");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const result = (key: string) => ({ key, keyInputs: { hash: "a".repeat(64), sizeBytes: 3 } });
const keysOf = (taskId: string): readonly string[] =>
  openEarlierResults(path)
    .get(taskId)
    .map(({ key }) => key);

function add(...rows: readonly (readonly [taskId: string, key: string])[]): void {
  const results = openEarlierResults(path);
  for (const [taskId, key] of rows) results.add(taskId, result(key));
  results.save();
}

describe("earlier results of a task", () => {
  it("are the newest first, each key once, of all processes and of this one", () => {
    add(["t", "1"], ["u", "x"], ["t", "2"]);
    add(["t", "1"], ["t", "3"]);
    expect(keysOf("t")).toEqual(["3", "1", "2"]);
    expect(keysOf("u")).toEqual(["x"]);
    const open = openEarlierResults(path);
    open.add("t", result("2"));
    expect(open.get("t").map(({ key }) => key)).toEqual(["2", "3", "1"]);
    expect(openEarlierResults(undefined).get("t")).toEqual([]);
  });

  it("are no more than eight", () => {
    add(...Array.from({ length: 20 }, (_, at) => ["t", `${at}`] as const));
    expect(keysOf("t")).toEqual(["19", "18", "17", "16", "15", "14", "13", "12"]);
  });

  it("are read past lines that are none", () => {
    add(["t", "1"]);
    appendFileSync(path, '["t","2","beef",3]\n{"t":1}\n["t",7]\n["t","3","');
    appendFileSync(path, "\n");
    add(["t", "4"]);
    expect(keysOf("t")).toEqual(["4", "1"]);
  });

  it("do not grow without end, and the newest stay", () => {
    for (let round = 0; round < 3; round += 1)
      add(
        ...Array.from(
          { length: 4000 },
          (_, at) => [`task ${at % 1000}`, `${round} ${at}`] as const,
        ),
      );
    expect(statSync(path).size).toBeLessThan(1024 * 1024);
    expect(readFileSync(path, "utf8").split("\n").length).toBeGreaterThan(2000);
    expect(keysOf("task 999")[0]).toBe("2 3999");
  });
});
