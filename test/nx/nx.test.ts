import { afterEach, describe, expect, it } from "vitest";
import { startServing } from "../e2e/serving.ts";
import { isFull } from "./in-full.ts";
import { installedNx, nodeProgram } from "./nx-install.mjs";
import { makeNxWorkspace, type NxWorkspace } from "./nx-workspace.ts";
import { allOf, ranOnce, threeProjects } from "./three-projects.ts";

interface Row {
  readonly nx: 22 | 23 | 24;
  /** Undefined: the Node of the tests. */
  readonly node?: 22 | 24 | 26;
  readonly daemon: boolean;
}

const short: readonly Row[] = [
  { nx: 24, daemon: false },
  { nx: 22, daemon: true },
];
const full: readonly Row[] = ([22, 23, 24] as const).flatMap((nx) =>
  ([22, 24, 26] as const).flatMap((node) => [false, true].map((daemon) => ({ nx, node, daemon }))),
);
const rows = isFull ? full : short;

const workspaces: NxWorkspace[] = [];
afterEach(async () => {
  for (const workspace of workspaces.splice(0)) await workspace.stop();
});

async function make({ nx, node, daemon }: Row): Promise<NxWorkspace> {
  const workspace = makeNxWorkspace({
    modules: await installedNx(nx),
    ...(node === undefined ? {} : { node: await nodeProgram(node) }),
    daemon,
    files: threeProjects(),
  });
  workspaces.push(workspace);
  return workspace;
}

async function runAll(
  workspace: NxWorkspace,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const args = ["run-many", "-t", "build", "test", "--output-style=static"];
  const { code, output } = await workspace.nx(args, { env });
  expect(code, output).toBe(0);
  return output;
}

const named = rows.map((row) => ({ ...row, title: row.node ?? "of the tests" }));
describe.each(named)("nx $nx, Node $title, daemon $daemon", (row) => {
  it(
    "infers, runs, hits, and has everything back without running anything when all is gone",
    { timeout: 300_000 },
    async () => {
      const workspace = await make(row);
      const { code, stdout } = await workspace.nx(["show", "projects", "--json"]);
      expect(code).toBe(0);
      expect((JSON.parse(stdout) as string[]).toSorted()).toEqual(["app", "core", "lib"]);

      const first = await runAll(workspace);
      expect(first).toContain("built core");
      expect(workspace.runs()).toEqual(ranOnce);
      expect(workspace.cacheStatus()).toEqual(allOf("cache-miss"));
      const built = workspace.outputs();
      expect(Object.keys(built)).toHaveLength(24);

      await runAll(workspace);
      expect(workspace.cacheStatus()).toEqual(allOf("local-cache-hit"));

      await workspace.wipe();
      expect(workspace.outputs()).toEqual({});
      const restored = await runAll(workspace);
      expect(workspace.cacheStatus()).toEqual(allOf("remote-cache-hit"));
      expect(restored).toContain("built core");
      // With the daemon on, this is in the daemon's log.
      const said = row.daemon ? /built core/ : /shared cache: 6 hits, 0 misses, 0 stored; saved /;
      expect(restored).toMatch(said);
      expect(workspace.outputs()).toEqual(built);
      expect(workspace.runs()).toEqual(ranOnce);
    },
  );

  it.runIf(isFull)(
    "has everything back from a server that is set",
    { timeout: 300_000 },
    async () => {
      const workspace = await make(row);
      const serving = await startServing({ CUENV_SERVER_TOKEN: "t" });
      const env = {
        NX_SELF_HOSTED_REMOTE_CACHE_SERVER: serving.url,
        NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: "t",
      };
      try {
        await runAll(workspace, env);
        expect(workspace.cacheStatus()).toEqual(allOf("cache-miss"));
        const built = workspace.outputs();
        await workspace.wipe();
        await runAll(workspace, env);
        expect(workspace.cacheStatus()).toEqual(allOf("remote-cache-hit"));
        expect(workspace.outputs()).toEqual(built);
        expect(workspace.runs()).toEqual(ranOnce);
      } finally {
        await serving.stop();
      }
    },
  );
});
