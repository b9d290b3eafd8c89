import { expect, it } from "vitest";
import { createSandbox, cue } from "./sandbox.ts";

/** What Node loads on first use, in milliseconds of a start: net 1.5, performance 1.3, child_process 0.6, v8 0.5, zlib and http more. */
const dear = ["net", "perf_hooks", "child_process", "v8", "worker_threads", "zlib", "http"];

it("a run of hits loads none of Node's modules that it can do without", async () => {
  const sandbox = createSandbox(
    {
      "env.cue": cue({
        tasks: { t: { command: "cp in out", inputs: ["in"], outputs: ["out"] } },
      }),
      in: "1",
      "../loaded.cjs": `process.on("exit", () => require("node:fs").writeFileSync(
        ${JSON.stringify("../loaded")}, process.moduleLoadList.join("\\n")));`,
    },
    { isShipped: true },
  );
  const env = { NODE_OPTIONS: `--require=${sandbox.path("../loaded.cjs")}` };
  expect(await sandbox.cuenv(["task", "t"])).toMatchObject({ code: 0 });
  const hit = await sandbox.cuenv(["task", "t"], { env });
  expect(hit.stderr).toMatch(/t: hit/);
  const loaded = new Set(sandbox.read("../loaded").split("\n"));
  expect(loaded).toContain("NativeModule crypto");
  expect(dear.filter((name) => loaded.has(`NativeModule ${name}`))).toEqual([]);
});
