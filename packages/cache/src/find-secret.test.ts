import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { open, root, taskRequest, useEngineFolder } from "../test/engine-rig.ts";
import { findSecret } from "./find-secret.ts";

useEngineFolder();

const mebibyte = 1024 * 1024;
const request = taskRequest({
  secretNames: new Set(["SHORT", "LONG"]),
  secretValues: ["hunter2", "a longer secret than that"],
  variables: { SHORT: "hunter2", LONG: "a longer secret than that" },
});

function output(bytes: Buffer): void {
  mkdirSync(join(root, "out"), { recursive: true });
  writeFileSync(join(root, "out/result"), bytes);
}

describe("a secret in an output", () => {
  it.each([
    ["SHORT", "hunter2"],
    ["LONG", "a longer secret than that"],
  ])("is found across the border of what is read at once: %s", async (name, value) => {
    for (const start of [mebibyte - 1, mebibyte - value.length + 1, 2 * mebibyte - 3]) {
      const bytes = Buffer.alloc(3 * mebibyte);
      bytes.write(value, start);
      output(bytes);
      expect(await findSecret(open().engine, request, Buffer.alloc(0))).toBe(
        `its output out/result contains the secret of ${name}`,
      );
    }
  });

  it("is looked for with turns for others, who may call it off", async () => {
    output(Buffer.alloc(40 * mebibyte));
    const { engine } = open();
    let turns = 0;
    const count = (): void => {
      turns += 1;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    expect(await findSecret(engine, request, Buffer.alloc(0))).toBeUndefined();
    expect(turns).toBeGreaterThanOrEqual(2);
    clearImmediate(immediate);
    const signal = AbortSignal.abort(new Error("called off"));
    await expect(findSecret(engine, { ...request, signal }, Buffer.alloc(0))).rejects.toThrow(
      "called off",
    );
  });
});
