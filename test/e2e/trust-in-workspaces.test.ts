import { createHash } from "node:crypto";
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { cacheStatus, runJson } from "./run-json.ts";
import { counting, createSandbox, cue } from "./sandbox.ts";
import { filesBelow } from "./signed-entry.ts";

const files = {
  "in.txt": "1",
  "env.cue": cue({
    tasks: {
      t: { ...counting("t", "cat in.txt > out; echo said"), inputs: ["in.txt"], outputs: ["out"] },
    },
  }),
};

describe.concurrent("T15: a workspace does not say whom to trust", () => {
  it("neither in env.cue, nor in its settings, nor by a trust file in it", async () => {
    const own = createSandbox(files);
    await cacheStatus(own, ["t"]);
    own.write("cuenv.cache.json", '{"trust": {"mode": "off"}}');
    expect((await own.cuenv(["task", "t"])).code).toBe(3);
    own.remove("cuenv.cache.json");
    own.write("env.cue", `${files["env.cue"]}\nconfig: cache: trust: "off"\n`);
    expect((await own.cuenv(["task", "t"])).code).toBe(3);
    own.write("env.cue", files["env.cue"]);
    own.write("keys", "");
    const run = await own.cuenv(["task", "t"], { env: { CUENV_TRUST_FILE: own.path("keys") } });
    expect([run.code, run.stderr]).toEqual([3, expect.stringContaining("TRUST_FILE_PLACE")]);
  });

  it("nor, where the user locked that, which cache is asked, and a variable does not either", async () => {
    const own = createSandbox(files);
    const settings = join(own.home, ".config/cuenv/config.yaml");
    mkdirSync(dirname(settings), { recursive: true });
    const write = (locked: boolean): void =>
      writeFileSync(
        settings,
        `cache:\n  cacheDir: ${own.cacheDir}\ntrust:\n  mode: local\n  locked: ${locked}\n`,
      );
    const env = { CUENV_CACHE_DIR: undefined };
    const elsewhere = `${files["env.cue"]}\nconfig: cache: cacheDir: ".cache"\n`;
    write(true);
    expect(await cacheStatus(own, ["t"], { env })).toEqual({ t: "miss" });
    const moved = { CUENV_CACHE_DIR: own.path("evil") };
    for (const [args, changed, what] of [
      [["task", "t"], moved, "CUENV_CACHE_DIR"],
      [["cache", "clear"], moved, "CUENV_CACHE_DIR"],
      [["task", "t"], { ...env, CUENV_TRUST: "off" }, "CUENV_TRUST"],
      [["keys", "list"], { ...env, CUENV_TRUST_FILE: own.path("keys") }, "CUENV_TRUST_FILE"],
    ] as const) {
      const run = await own.cuenv(args, { env: changed });
      expect([run.code, run.stderr], what).toEqual([3, expect.stringContaining("CONFIG_LOCKED")]);
      expect(run.stderr).toContain(what);
    }
    own.write("env.cue", elsewhere);
    const run = await own.cuenv(["task", "t"], { env });
    expect([run.code, run.stderr]).toEqual([3, expect.stringContaining("cacheDir")]);
    expect(own.exists("evil") || own.exists(".cache")).toBe(false);
    write(false);
    expect(await cacheStatus(own, ["t"], { env })).toEqual({ t: "miss" });
    expect(own.exists(".cache")).toBe(true);
  });

  it("and a cacheDir in env.cue that is another tool's is nothing that was locked", async () => {
    const tool = '\n_vite: {\n\tcacheDir: "node_modules/.vite"\n}\n';
    const own = createSandbox({ ...files, "env.cue": `${files["env.cue"]}${tool}` });
    const settings = join(own.home, ".config/cuenv/config.yaml");
    mkdirSync(dirname(settings), { recursive: true });
    writeFileSync(settings, "trust: {mode: local, locked: true}\n");
    const env = { CUENV_CACHE_DIR: undefined };
    expect(await cacheStatus(own, ["t"], { env })).toEqual({ t: "miss" });
    own.write("env.cue", `tasks: [${tool}`);
    const run = await own.cuenv(["cache", "clear"], { env });
    expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining("CONFIG_LOCKED")]);
  });

  it("and a folder that is no workspace is none: from home or / keys are trusted and revoked", async () => {
    const own = createSandbox({ "env.cue": cue({ tasks: {} }) });
    mkdirSync(own.home, { recursive: true });
    const exported = await own.cuenv(["keys", "export"]);
    writeFileSync(join(own.home, "own.pub"), exported.stdout);
    const [id = ""] = exported.stdout.split(" ");
    for (const folder of [own.home, "/"]) {
      const from = (...args: string[]) => own.cuenv(["-C", folder, ...args]);
      const trusted = await from("keys", "trust", join(own.home, "own.pub"));
      expect([trusted.code, trusted.stderr]).toEqual([0, expect.stringContaining("is trusted")]);
      expect((await from("keys", "list")).stdout).toContain(`${id}  trusted`);
      const doctor = await from("doctor", "--json");
      expect(doctor.stdout).not.toContain("TRUST_FILE_PLACE");
      const checked = await from("cache", "verify", "--signatures");
      expect([checked.code, checked.stderr]).toEqual([0, ""]);
    }
    const revoked = await own.cuenv(["-C", own.home, "keys", "revoke", id]);
    expect([revoked.code, revoked.stderr]).toEqual([0, expect.stringContaining("is revoked")]);
    writeFileSync(join(own.home, "pnpm-workspace.yaml"), "packages: []\n");
    const inside = await own.cuenv(["-C", own.home, "keys", "list"]);
    expect([inside.code, inside.stderr]).toEqual([3, expect.stringContaining("TRUST_FILE_PLACE")]);
  });

  it("and a cache folder that it brings along is not believed", async () => {
    const attacker = createSandbox(files);
    await cacheStatus(attacker, ["t"]);
    const victim = createSandbox({
      ...files,
      "env.cue": `${files["env.cue"]}\nconfig: cache: cacheDir: ".cache"\n`,
    });
    cpSync(attacker.cacheDir, victim.path(".cache"), { recursive: true });
    const env = { CUENV_CACHE_DIR: undefined };
    const credulous = { ...env, CUENV_TRUST: "off", CUENV_CACHE: "read" };
    expect(await cacheStatus(victim, ["t"], { env: credulous })).toEqual({ t: "hit" });
    const run = await runJson(victim, ["t"], { env });
    expect([run.summary["hits"], victim.count("../t")]).toEqual([0, 1]);
  });

  it("T19: and neither does one that was tampered with: what env.cue says runs, not what is remembered of it", async () => {
    const own = createSandbox(files);
    await cacheStatus(own, ["t"]);
    const memos = filesBelow(join(own.cacheDir, "v1/workspaces")).filter((path) =>
      path.includes("/evaluations/"),
    );
    expect(memos.length).toBeGreaterThan(0);
    for (const path of memos) {
      const [, ...lines] = readFileSync(path, "utf8").split("\n");
      const body = lines.join("\n").replaceAll("echo said", "echo evil");
      expect(body).toContain("evil");
      writeFileSync(path, `${createHash("sha256").update(body).digest("hex")}\n${body}`);
    }
    const run = await own.cuenv(["task", "t", "--force"]);
    expect([run.code, run.stdout], run.stderr).toEqual([0, "said\n"]);
    // Where whoever can write there is believed, it does count: the test is about something.
    const trusting = createSandbox(files);
    const env = { CUENV_TRUST: "off" };
    await cacheStatus(trusting, ["t"], { env });
    const evaluation =
      filesBelow(join(trusting.cacheDir, "v1/workspaces")).find((path) =>
        path.includes("/evaluation/"),
      ) ?? "";
    const body = (readFileSync(evaluation, "utf8").split("\n")[1] ?? "").replaceAll(
      "echo said",
      "echo evil",
    );
    writeFileSync(evaluation, `${createHash("sha256").update(body).digest("hex")}\n${body}`);
    expect((await trusting.cuenv(["task", "t", "--force"], { env })).stdout).toBe("evil\n");
  });
});

describe("what is remembered of env.cue", () => {
  it("is recalled, too, where another file of the package names the cache folder", async () => {
    const own = createSandbox({
      "env.cue": `package cuenv\n${files["env.cue"]}`,
      "cache.cue": 'package cuenv\nconfig: cache: {\n\tcacheDir: ".own"\n}\n',
    });
    const env = { CUENV_CACHE_DIR: undefined, CUENV_TRUST: "off" };
    await cacheStatus(own, ["t"], { env });
    // Whoever finds it there runs what it says: so it is seen to be found.
    const evaluation =
      filesBelow(own.path(".own/v1/workspaces")).find((path) => path.includes("/evaluation/")) ??
      "";
    const [, remembered = ""] = readFileSync(evaluation, "utf8").split("\n");
    const body = remembered.replaceAll("echo said", "echo recalled");
    writeFileSync(evaluation, `${createHash("sha256").update(body).digest("hex")}\n${body}`);
    expect((await own.cuenv(["task", "t", "--force"], { env })).stdout).toBe("recalled\n");
  });
});

describe("T14: a folder that everybody may write to", () => {
  it("adds nothing to the projects below it, and is none for who works there", async () => {
    const mine = `package cuenv\n${files["env.cue"]}`;
    const own = createSandbox({
      "shared/mine/env.cue": mine,
      "shared/cue.mod/module.cue": 'module: "evil.example"\nlanguage: version: "v0.9.0"\n',
      "shared/env.cue": 'package cuenv\ntasks: evil: command: "echo evil"\n',
      "shared/empty/x": "",
    });
    chmodSync(own.path("shared"), 0o1777);
    const list = await own.cuenv(["task"], { cwd: "shared/mine" });
    expect([list.code, list.stdout.includes("evil")]).toEqual([0, false]);
    const run = await own.cuenv(["task", "evil"], { cwd: "shared/empty" });
    expect([run.code, run.stderr]).toEqual([3, expect.stringContaining("cannot find an env.cue")]);
    // With another mode it is a module as any other: so it is the mode that counts.
    chmodSync(own.path("shared"), 0o755);
    expect((await own.cuenv(["task", "evil"], { cwd: "shared/empty" })).stdout).toBe("evil\n");
    own.write("shared/other/env.cue", mine);
    expect((await own.cuenv(["task"], { cwd: "shared/other" })).stdout).toContain("evil");
  });

  it("says nothing of what cuenv init, cuenv turbo and cuenv nx why find, and has no turbo to run", async () => {
    const own = createSandbox({
      "shared/mine/package.json": '{"name": "mine", "scripts": {"build": "echo mine"}}',
      "shared/nx.json":
        '{"targetDefaults": {"build": {"command": "echo evil", "options": {"cwd": "mine"}}}}',
      "shared/turbo.json": "{",
      "shared/node_modules/.bin/turbo": "#!/bin/sh\necho evil\n",
    });
    chmodSync(own.path("shared/node_modules/.bin/turbo"), 0o755);
    chmodSync(own.path("shared"), 0o1777);
    const from = (...args: string[]) =>
      own.cuenv(["-C", "shared/mine", ...args], { env: { PATH: "/usr/bin:/bin" } });
    const drafted = await from("init", "--print");
    expect([drafted.code, drafted.stdout], drafted.stderr).toEqual([
      0,
      expect.stringMatching(/from package\.json\.[^]*echo mine/),
    ]);
    const turbo = await from("turbo", "run", "build");
    expect([turbo.code, turbo.stdout]).toEqual([127, ""]);
    const why = await from("nx", "why", "mine:build");
    expect(why.stderr).toContain("cannot find an nx.json");
    // With another mode it is a workspace as any other: so it is the mode that counts.
    chmodSync(own.path("shared"), 0o755);
    expect((await from("turbo", "run", "build")).stdout).toBe("evil\n");
    own.write("shared/turbo.json", "{}");
    expect((await from("init", "--print", "--from", "nx")).stdout).toContain("echo evil");
  });
});
