import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openProject } from "../project/open-project.ts";
import { openWatchedProject, type WatchedProject } from "./watched-project.ts";

let folder = "";
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "cuenv-watched-")));
  writeFileSync(join(folder, "env.cue"), 'tasks: t: {command: "echo 1", inputs: []}\n');
  for (const name of ["CUENV_CACHE_DIR", "XDG_CONFIG_HOME", "HOME"])
    vi.stubEnv(name, join(folder, name));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Opened, and `afterwards` done once everything was read. */
async function opened(afterwards: () => void): Promise<WatchedProject> {
  const invocation = { flags: {}, names: ["t"], rest: undefined };
  return openWatchedProject(invocation, async (asked, options) => {
    const open = await openProject(asked, { ...options, directory: folder });
    afterwards();
    return open;
  });
}

describe("the stamp of a configuration as it was read", () => {
  it("is that of the files as long as nobody writes one", async () => {
    const project = await opened(() => {});
    expect(project.stampAsRead).toBe(project.stamp());
    writeFileSync(join(folder, "env.cue"), 'tasks: t: {command: "echo 22", inputs: []}\n');
    expect(project.stampAsRead).not.toBe(project.stamp());
  });

  it.each([
    ["env.cue", 'tasks: t: {command: "echo 2", inputs: []}\n'],
    ["more.cue", "package cuenv\n"],
    ["cuenv.cache.json", '{"maxSize": "5GiB"}'],
  ])(
    "is another one where %s was written between its reading and the stamp",
    async (name, text) => {
      const project = await opened(() => writeFileSync(join(folder, name), text));
      expect(project.stampAsRead).not.toBe(project.stamp());
    },
  );
});
