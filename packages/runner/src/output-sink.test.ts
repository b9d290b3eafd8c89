import { spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../test/project.ts";
import { createDescriptorSink } from "./index.ts";

const printMuch = join(import.meta.dirname, "../test/print-much.ts");

describe("createDescriptorSink", () => {
  it("writes bytes in order, and copies what it cannot write at once", async () => {
    const file = join(temporaryFolder(), "out");
    const descriptor = openSync(file, "w");
    const sink = createDescriptorSink(descriptor);
    const bytes = Buffer.from("reused");
    await sink.write(bytes);
    bytes.fill(0);
    await sink.write(Buffer.from([1, 2]));
    closeSync(descriptor);
    expect([...readFileSync(file)]).toEqual([...Buffer.from("reused"), 1, 2]);
  });

  it("drops quietly what nobody reads any more, tells once, and does not crash (| head -1)", () => {
    const run = spawnSync("sh", ["-c", `"$1" "$2" | head -1`, "sh", process.execPath, printMuch], {
      encoding: "utf8",
    });
    expect(run.stdout).toBe(`${"x".repeat(1000)}\n`);
    expect(run.stderr).toBe("closed\n");
    expect(run.status).toBe(0);
  });

  it("waits for a slow reader of a pipe that does not block, without losing a byte", async () => {
    // Node gives its children sockets, which do not block here, and reads nothing until asked.
    const child = spawn(process.execPath, [printMuch], { stdio: ["ignore", "pipe", "pipe"] });
    await sleep(300);
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(out.length).toBe(201 * 100 * 1001);
    expect(err).toBe("open\n");
  });

  it("is closed by a full device, and tells", () => {
    const descriptor = openSync("/dev/full", "w");
    const closed: unknown[] = [];
    const sink = createDescriptorSink(descriptor, { onClosed: (error) => closed.push(error) });
    void sink.write(Buffer.from("x"));
    void sink.write(Buffer.from("y"));
    closeSync(descriptor);
    expect(closed).toMatchObject([{ code: "ENOSPC" }]);
  });
});
