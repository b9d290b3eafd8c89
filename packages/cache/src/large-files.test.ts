import { largeFileBytes } from "@cuenv/digest";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { open, root, run, useEngineFolder } from "../test/engine-rig.ts";
import type { OpenedCacheEngine } from "./open-cache-engine.ts";

useEngineFolder();

/** An engine that gives no digest of a large file at a stretch which was not asked for in turns before. */
function openStrict(): { readonly opened: OpenedCacheEngine; readonly inTurns: Set<string> } {
  const opened = open();
  const inTurns = new Set<string>();
  const { index } = opened.engine;
  const strict: typeof index = {
    ...index,
    digestBy: (path, take) => {
      inTurns.add(path);
      return index.digestBy(path, take);
    },
    digest: (path) => {
      const size = index.stat(path)?.sizeBytes ?? 0;
      if (size >= largeFileBytes && !inTurns.has(path))
        throw new Error(`${path} is hashed at a stretch`);
      return index.digest(path);
    },
  };
  return { opened: { ...opened, engine: { ...opened.engine, index: strict } }, inTurns };
}

it("large inputs and outputs are hashed while others have their turns", async () => {
  writeFileSync(join(root, "src/model"), "");
  truncateSync(join(root, "src/model"), largeFileBytes);
  const makeLarge = (): void => {
    writeFileSync(join(root, "out/bundle"), "");
    truncateSync(join(root, "out/bundle"), largeFileBytes + 1);
  };
  const first = openStrict();
  const made = await run({ opened: first.opened, during: makeLarge });
  expect(made.outcome).toMatchObject({ kind: "executed", stored: true });
  expect(first.inTurns).toContain("src/model");
  const second = openStrict();
  const { executions, outcome } = await run({ opened: second.opened });
  expect(executions).toBe(0);
  expect(outcome).toMatchObject({ kind: "hit", restoredFiles: 0 });
  expect([...second.inTurns]).toEqual(expect.arrayContaining(["src/model", "out/bundle"]));
});
