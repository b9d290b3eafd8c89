import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createSandbox, cue, type RunOptions, type Sandbox } from "./sandbox.ts";

interface Report {
  readonly version: number;
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly status: "ok" | "note" | "broken";
    readonly message: string;
    readonly advice: string | null;
  }[];
}

async function doctor(
  sandbox: Sandbox,
  options: RunOptions = {},
): Promise<Report & { readonly code: number | null }> {
  const run = await sandbox.cuenv(["doctor", "--json"], options);
  expect(run.stderr).toBe("");
  const report = JSON.parse(run.stdout) as Report;
  expect(report.version).toBe(1);
  return { ...report, code: run.code };
}

const sound = { "env.cue": cue({ tasks: { t: { command: "echo x", inputs: [] } } }) };
const tree = (sandbox: Sandbox): string =>
  execFileSync("find", [`${sandbox.root}/..`, "-type", "f", "-o", "-name", ".*"], {
    encoding: "utf8",
  });

describe("cuenv doctor", () => {
  it("finds a sound machine well, exits with 0 and leaves nothing behind", async () => {
    const sandbox = createSandbox(sound);
    const before = tree(sandbox);
    const first = await doctor(sandbox);
    expect(first).toMatchObject({ code: 0, ok: true });
    expect(tree(sandbox)).toBe(before);
    await sandbox.cuenv(["task", "t"]);
    const used = tree(sandbox);
    const found = await doctor(sandbox);
    expect(tree(sandbox)).toBe(used);
    expect(found.checks.map(({ name, status }) => `${name} ${status}`)).toEqual([
      "machine ok",
      "configuration ok",
      "cache folder ok",
      "disk space ok",
      "file system ok",
      "clock ok",
      "trust ok",
      "signing key ok",
      "remote cache ok",
    ]);
    const text = await sandbox.cuenv(["doctor"]);
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(/All is well\.\n$/);
  });

  it("says each thing that is broken, what to do, and exits with 6", async () => {
    const sandbox = createSandbox({ "env.cue": "tasks: {a: comand: 1}\n" });
    const broken = await doctor(sandbox);
    expect(broken).toMatchObject({ code: 6, ok: false });
    const first = broken.checks.find(({ status }) => status === "broken");
    expect(first?.message).toMatch(/^env\.cue:1:\d+: .*\[\w+\]$/);

    const exposed = createSandbox(sound);
    mkdirSync(`${exposed.cacheDir}/v1`, { recursive: true });
    chmodSync(`${exposed.cacheDir}/v1`, 0o777);
    const folder = await doctor(exposed);
    expect(folder.code).toBe(6);
    expect(folder.checks).toContainEqual(
      expect.objectContaining({ name: "cache folder", status: "broken" }),
    );

    const remote = await doctor(createSandbox(sound), {
      env: { CUENV_REMOTE_CACHE_ENDPOINT: "grpc://127.0.0.1:1" },
    });
    expect(remote.code).toBe(6);
    expect(remote.checks.at(-1)).toMatchObject({ name: "remote cache", status: "broken" });
  });

  it("only notes what need not be wrong: no project, a trust that is off, a misspelt variable", async () => {
    const nowhere = await doctor(createSandbox({}));
    expect(nowhere.code).toBe(0);
    expect(nowhere.checks).toContainEqual(
      expect.objectContaining({ name: "configuration", status: "note" }),
    );
    const found = await doctor(createSandbox(sound), {
      env: { CUENV_TRUST: "off", CUENV_CACHE_DRI: "x" },
    });
    expect(found.code).toBe(0);
    expect(found.checks.filter(({ status }) => status === "note").map(({ name }) => name)).toEqual([
      "environment",
      "cache folder",
      "trust",
    ]);
  });

  it("goes on where the settings themselves cannot be read", async () => {
    const found = await doctor(createSandbox(sound), { env: { CUENV_CACHE_MAX_SIZE: "much" } });
    expect(found.code).toBe(6);
    expect(found.checks).toContainEqual(
      expect.objectContaining({ name: "configuration", status: "broken" }),
    );
  });
});
