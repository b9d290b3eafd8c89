import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { isLacking, lackOf } from "./capabilities.ts";
import { disposableProject, mount, mountOverlay, projectFiles, unmount } from "./fault-project.ts";

describe(`a workspace on an overlay file system${lackOf("overlays")}`, () => {
  it.skipIf(isLacking("overlays"))(
    "misses when a file comes into a lower layer, below a folder that the upper one has, too",
    async () => {
      const project = disposableProject();
      const disk = join(project.base, "disk");
      mount(disk, "size=20m");
      onTestFinished(() => unmount(disk));
      chmodSync(disk, 0o755);
      const layers = ["merged", "lower", "upper", "work"].map((name) => join(disk, name));
      const [merged = "", lower = "", upper = "", work = ""] = layers;
      mkdirSync(join(lower, "src"), { recursive: true });
      for (const name of ["env.cue", "make.sh", "src/a.txt", "src/b.txt"])
        writeFileSync(join(lower, name), projectFiles[name] ?? "");
      const build = async (): Promise<string> => {
        mountOverlay(merged, lower, upper, work);
        onTestFinished(() => unmount(merged));
        writeFileSync(join(merged, "src", "mine"), "of the upper layer");
        // The folder is old enough for its stat to be believed.
        await setTimeout(200);
        const { stderr } = await project.cuenv(["task", "build"], { cwd: merged });
        const again = await project.cuenv(["task", "build"], { cwd: merged });
        expect(again.stderr).toContain("build: hit");
        unmount(merged);
        return stderr;
      };
      expect(await build()).toContain("build: miss");
      writeFileSync(join(lower, "src", "new"), "of the lower layer");
      expect(await build()).toContain("src/new added");
    },
  );
});
