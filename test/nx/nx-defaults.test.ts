import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installedNx } from "./nx-install.mjs";
import { makeNxWorkspace, type NxWorkspace } from "./nx-workspace.ts";

const workspaces: NxWorkspace[] = [];
let modules: string;
let latest: string;
beforeAll(async () => {
  modules = await installedNx(23);
  latest = await installedNx(24);
}, 600_000);
afterAll(async () => {
  for (const workspace of workspaces) await workspace.stop();
});

function make(
  targetDefaults: Readonly<Record<string, unknown>>,
  text = definition("first"),
): NxWorkspace {
  const workspace = makeNxWorkspace({
    modules,
    files: { "packages/app/env.cue": text },
    nxJson: { targetDefaults },
  });
  workspaces.push(workspace);
  return workspace;
}

const definition = (level: string): string => `package cuenv

tasks: build: {
	command: "mkdir -p out && printenv LEVEL > out/level"
	env: LEVEL: "${level}"
	inputs: []
	outputs: ["out"]
}
`;
const build = ["run", "app:build", "--output-style=static"];

describe("targetDefaults of nx.json that are right for other projects", () => {
  it("do not make a hit that puts nothing back of other outputs: the target fails and says so", async () => {
    const workspace = make({ build: { outputs: ["{projectRoot}/dist"] } });
    const { code, output } = await workspace.nx(build);
    expect(code, output).toBe(1);
    expect(output).toContain(
      'nx.json: targetDefaults["build"] takes the place of what env.cue says, and leaves out the output {projectRoot}/out',
    );
  });

  it("leave the other targets as they are, also where the reason names what lies outside of the project", async () => {
    const elsewhere = `${definition("first").replace('"out"', '"//made/100%"')}
tasks: other: {command: "echo other", inputs: []}
`;
    const workspace = make({ build: { outputs: ["{projectRoot}/dist"] } }, elsewhere);
    const { output } = await workspace.nx(build);
    expect(output).toContain("leaves out the output {workspaceRoot}/made/100%. Add");
    const { code } = await workspace.nx(["run", "app:other"]);
    expect(code).toBe(0);
  });

  it.each(["off", "read", "write"])(
    'with "cache": true do not make a target fail where CUENV_CACHE=%s has cuenv keep less: it is Nx\'s to keep',
    async (mode) => {
      const workspace = make({ build: { cache: true } });
      for (const status of ["cache-miss", "local-cache-hit"]) {
        const { code, output } = await workspace.nx(build, { env: { CUENV_CACHE: mode } });
        expect(code, output).toBe(0);
        expect(workspace.cacheStatus()).toEqual({ "app:build": status });
      }
      workspace.write("packages/app/env.cue", definition("second"));
      await workspace.nx(build, { env: { CUENV_CACHE: mode } });
      expect(workspace.read("packages/app/out/level")).toBe("second\n");
    },
  );

  it("with a filter, as the documentation has it, are about what env.cue says alone", async () => {
    const example = /"targetDefaults": (\{.*?\n {2}\})\n\}\n```/s.exec(
      readFileSync(join(import.meta.dirname, "../../docs/nx.md"), "utf8"),
    );
    const targetDefaults = JSON.parse(example?.[1] ?? "") as Record<string, unknown[]>;
    for (const installed of [modules, latest]) {
      const cached = { cache: true, outputs: ["{projectRoot}/dist"] };
      const workspace = makeNxWorkspace({
        modules: installed,
        files: {
          "packages/app/env.cue": definition("first").replace("inputs: []", 'inputs: ["src"]'),
          "packages/app/package.json": JSON.stringify({ name: "app", dependencies: { lib: "*" } }),
          "packages/lib/package.json": JSON.stringify({
            name: "lib",
            version: "1.0.0",
            scripts: { build: "mkdir -p dist && cp in.txt dist/" },
            nx: { targets: { build: cached } },
          }),
          "packages/lib/in.txt": "1",
          "package.json": JSON.stringify({ private: true, workspaces: ["packages/*"] }),
        },
        nxJson: { targetDefaults },
      });
      workspaces.push(workspace);
      const statuses = async () => {
        const { code, output } = await workspace.nx(build);
        expect(code, output).toBe(0);
        return workspace.cacheStatus();
      };
      const miss = { "app:build": "cache-miss", "lib:build": "cache-miss" };
      expect(await statuses()).toEqual(miss);
      expect(Object.values(await statuses())).toEqual(["local-cache-hit", "local-cache-hit"]);
      workspace.write("packages/lib/in.txt", "2");
      expect(await statuses()).toEqual(miss);
      expect(workspace.read("packages/lib/dist/in.txt")).toBe("2");
    }
  });

  it('with "..." add outputs, and those of env.cue come back', async () => {
    const workspace = make({ build: { outputs: ["...", "{projectRoot}/dist"] } });
    expect((await workspace.nx(build)).code).toBe(0);
    const built = workspace.outputs();
    await workspace.wipe();
    expect((await workspace.nx(build)).code).toBe(0);
    expect(workspace.read("packages/app/out/level")).toBe("first\n");
    expect(workspace.outputs()).toEqual(built);
  });

  it("do not make a hit of another definition by variables that they set", async () => {
    const workspace = make({ build: { options: { env: { NODE_ENV: "production" } } } });
    const first = await workspace.nx(build);
    workspace.write("packages/app/env.cue", definition("second"));
    const second = await workspace.nx(build);
    for (const { code, output } of [first, second]) {
      expect(code, output).toBe(1);
      expect(output).toContain('an "env" in the options of this target');
    }
  });
});
