import { describe, expect, it } from "vitest";
import { canClone, mountCloning, runModule, sourceUrl } from "../test/other-process.ts";

describe.runIf(canClone())("large outputs on a file system that can clone", () => {
  it("share their blocks with the store, have their modes, and are refused when the store's are damaged; and a signal is heard meanwhile", async () => {
    const program = `
      import { execFileSync } from "node:child_process";
      import { chmodSync, mkdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
      execFileSync("sh", ["-c", ${JSON.stringify(mountCloning.join(" && "))}]);
      process.env.TMPDIR = "/mnt/xfs";
      const { makeWorkspace } = await import("${sourceUrl.replace("/src", "/test/workspace.ts")}");
      const { stageLargeFile } = await import("${sourceUrl}/stage-large-file.ts");
      const space = makeWorkspace();
      const used = () => { execFileSync("sync", ["-f", "/mnt/xfs"]); const { blocks, bfree, bsize } = statfsSync("/mnt/xfs"); return (blocks - bfree) * bsize; };
      const large = Buffer.alloc(40_000_000, "large");
      space.write("dist/plain", large);
      space.write("dist/tool", Buffer.concat([large, large]), 0o755);
      const { entries } = await space.capture("", ["dist"]);
      rmSync(space.root + "/dist", { recursive: true });
      const before = used();
      const { kind, marks } = await space.restore("", ["dist"], entries);
      console.log(kind, used() - before < 1_000_000);
      console.log(statSync(space.root + "/dist/plain").mtimeMs === marks.get("dist/plain").mtimeMs);
      const modes = ["plain", "tool"].map((name) => statSync(space.root + "/dist/" + name).mode & 0o777);
      console.log(modes[0] === (0o666 & ~process.umask()), modes[1] === (0o777 & ~process.umask()));
      console.log(readFileSync(space.root + "/dist/plain").equals(large));
      // A write to an output is the output's only.
      writeFileSync(space.root + "/dist/plain", "scribble", { flag: "r+" });
      console.log((await space.restore("", ["dist"], entries)).kind);
      // One that hashes at a stretch hears of it when it is done.
      const controller = new AbortController();
      setImmediate(() => controller.abort(new Error("enough")));
      const one = { entry: entries.find(({ path }) => path === "dist/tool"), target: space.root + "/one" };
      console.log(await stageLargeFile(space.store, one, { signal: controller.signal }).catch(({ message }) => message));
      const { digest } = entries.find(({ path }) => path === "dist/plain");
      const blob = space.store.localPath(digest);
      rmSync(space.root + "/dist", { recursive: true });
      chmodSync(blob, 0o600);
      writeFileSync(blob, "damaged", { flag: "r+" });
      const damaged = await space.restore("", ["dist"], entries);
      console.log(damaged.kind, damaged.reason);
      const again = await space.restore("", ["dist"], entries);
      console.log(again.kind, again.reason);
      process.chdir("/");
      execFileSync("umount", ["-l", "/mnt/xfs"]);
    `;
    const ended = await runModule(program, { withMounts: true });
    expect(ended.stderr).toBe("");
    expect(ended.stdout.trim().split("\n")).toEqual([
      "restored true",
      "true",
      "true true",
      "true",
      "restored",
      "enough",
      "miss corrupt",
      "miss incomplete",
    ]);
  });
});
