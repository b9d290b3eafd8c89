import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { json, noCacheDir, plainTask, settingsOf, writeUser } from "./configured.ts";
import { statusOf } from "./run-json.ts";
import { createSandbox, cue } from "./sandbox.ts";

describe.concurrent("cuenv cache config", () => {
  it("row 5: without any configuration, every setting has a default that is named as such", async () => {
    const own = createSandbox({ "env.cue": cue(plainTask) });
    const settings = await settingsOf(own, [], { env: noCacheDir });
    expect(settings).toMatchObject({
      enabled: { value: true, source: "default" },
      maxSize: { value: "10GiB", source: "default", bytes: 10_737_418_240 },
      maxAge: { value: "infinite", source: "default", ms: null },
      cacheDir: { value: join(own.home, ".cache/cuenv"), source: "default" },
      statsRetentionDays: { value: 30, source: "default" },
      "remoteCache.timeoutSeconds": { value: 30, source: "default" },
      "remoteCache.maxConcurrent": { value: 10, source: "default" },
      "remoteCache.endpoint": { value: null, source: "default" },
    });
    const { stdout, code } = await own.cuenv(["cache", "config"]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^evictionPolicy +LRU +default$/m)]);
    expect(await statusOf(own, "t")).toBe("miss");
  });

  it("row 50: --show-resolution lists every source of each setting, the one that holds first", async () => {
    const own = createSandbox({
      "env.cue":
        'package cuenv\n\nconfig: cache: maxSize: "2GiB"\ntasks: t: {command: "true", inputs: []}\n',
      "cuenv.cache.yaml": "# c\nmaxSize: 3GiB\nkeyEpoch: 1\n",
    });
    const user = writeUser(own, "config.json", '{\n "cache": {\n  "maxSize": "4GiB"}}\n');
    const env = { CUENV_CACHE_MAX_SIZE: "1GiB" };
    const { maxSize, keyEpoch } = await settingsOf(own, ["--show-resolution"], { env });
    expect(
      maxSize?.resolution?.map(({ value, source, origin, file, line }) => [
        value,
        source,
        origin ?? file,
        line,
      ]),
    ).toEqual([
      ["1GiB", "environment", "CUENV_CACHE_MAX_SIZE", undefined],
      ["2GiB", "project", own.path("env.cue"), 3],
      ["3GiB", "project", own.path("cuenv.cache.yaml"), 2],
      ["4GiB", "user", user, 3],
      ["10GiB", "default", undefined, undefined],
    ]);
    expect(maxSize).toMatchObject({ value: "1GiB", source: "environment" });
    expect(keyEpoch).toMatchObject({ value: 1, source: "project", line: 3 });
    const { stdout } = await own.cuenv(["cache", "config", "--show-resolution"], { env });
    expect(stdout).toMatch(
      /^maxSize +1GiB +environment, CUENV_CACHE_MAX_SIZE\n +2GiB +project, env\.cue:3:16\n +3GiB +project, cuenv\.cache\.yaml:2:1\n +4GiB +user, .*\n +10GiB +default$/m,
    );
  });

  it("row 38: the project's file wins over the user's, field by field, in JSON and YAML", async () => {
    for (const [project, user] of [
      ["cuenv.cache.json", "config.yaml"],
      ["cuenv.cache.yaml", "config.json"],
    ] as const) {
      const own = createSandbox({
        "env.cue": cue(plainTask),
        [project]: '{"maxSize": "2GiB"}',
      });
      writeUser(own, user, '{"cache": {"maxSize": "3GiB", "statsRetentionDays": 7}}');
      expect(await settingsOf(own)).toMatchObject({
        maxSize: { value: "2GiB", source: "project" },
        statsRetentionDays: { value: 7, source: "user" },
        evictionPolicy: { value: "LRU", source: "default" },
      });
    }
  });

  it("row 38: an unknown setting in a file is one warning with the near name, and no reason to stop", async () => {
    const own = createSandbox({
      "env.cue": cue(plainTask),
      "cuenv.cache.json": '{\n "maxSzie": "2GiB"}',
    });
    const run = await own.cuenv(["task", "t"]);
    expect(run.code).toBe(0);
    expect(
      run.stderr.match(
        /^warning: cuenv\.cache\.json:2:2: .*`maxSzie`.*did you mean `maxSize`\?$/gm,
      ),
    ).toHaveLength(1);
  });

  it("row 10: a variable wins over the list of a task, which wins over the project's", async () => {
    const own = createSandbox({
      "env.cue": cue({
        config: { cache: { envInclude: ["GLOBAL"] } },
        tasks: {
          t: { command: "true", inputs: [], cacheConfig: { envInclude: ["OWN"] } },
          u: { command: "true", inputs: [] },
        },
      }),
    });
    expect(await settingsOf(own, ["t"])).toMatchObject({
      envInclude: { value: ["OWN"], source: "task" },
    });
    expect(await settingsOf(own, ["u"])).toMatchObject({
      envInclude: { value: ["GLOBAL"], source: "project" },
    });
    const env = { CUENV_CACHE_ENV_INCLUDE: "SEEN" };
    expect(await settingsOf(own, ["t"], { env })).toMatchObject({
      envInclude: { value: ["SEEN"], source: "environment" },
    });
    await statusOf(own, "t", { env: { ...env, SEEN: "1" } });
    expect(await statusOf(own, "t", { env: { ...env, SEEN: "1", OWN: "2" } })).toBe("hit");
    expect(await statusOf(own, "t", { env: { ...env, SEEN: "2" } })).toBe("miss");
  });

  it("row 7: --cache is the strongest source of the mode", async () => {
    const own = createSandbox({ "env.cue": cue(plainTask) });
    const settings = await settingsOf(own, ["--cache", "READ"], { env: { CUENV_CACHE: "off" } });
    expect(settings["defaultMode"]).toMatchObject({
      value: "read",
      source: "flag",
      origin: "--cache",
    });
  });

  it("row 12: a token is masked wherever it is shown, a variable's name is not", async () => {
    const own = createSandbox({ "env.cue": cue(plainTask) });
    writeUser(
      own,
      "config.json",
      '{"cache": {"remoteCache": {"endpoint": "grpc://c:1", "authToken": "s3cr3t-t0ken"}}}',
    );
    for (const args of [[], ["--json"], ["--show-resolution"], ["--show-resolution", "--json"]]) {
      const run = await own.cuenv(["cache", "config", ...args]);
      expect(run.code).toBe(0);
      expect(run.stdout + run.stderr).not.toContain("s3cr3t");
      expect(run.stdout).toContain("********");
    }
    const env = { CUENV_REMOTE_CACHE_AUTH_TOKEN: "${MY_TOKEN}", MY_TOKEN: "s3cr3t" };
    expect((await settingsOf(own, [], { env }))["remoteCache.authToken"]?.value).toBe(
      "${MY_TOKEN}",
    );
    for (const token of ["s3cr3t t0ken", "${s3cr3t"]) {
      const run = await own.cuenv(["task", "t"], { env: { CUENV_REMOTE_CACHE_AUTH_TOKEN: token } });
      expect(run.code).toBe(3);
      expect(run.stdout + run.stderr).not.toContain("s3cr3t");
    }
  });

  it("row 12: no task sees the token's variable", async () => {
    const show = 'echo "<$CUENV_REMOTE_CACHE_AUTH_TOKEN>"';
    const own = createSandbox({
      "env.cue": cue({
        tasks: {
          t: { command: show },
          l: { command: show, inputs: [], cacheConfig: { envMode: "loose" } },
        },
      }),
    });
    const env = { CUENV_REMOTE_CACHE_AUTH_TOKEN: "s3cr3t" };
    for (const args of [
      ["task", "t"],
      ["task", "l"],
      ["task", "t", "--cache", "off"],
      ["exec", "--", "sh", "-c", show],
    ])
      expect((await own.cuenv(args, { env })).stdout).toBe("<>\n");
  });
});

describe.concurrent("settings of the remote cache", () => {
  const refusals = [
    [
      "row 11",
      { endpoint: "http://c:1" },
      "remoteCache.endpoint",
      /must begin with grpc:\/\/ or grpcs:\/\//,
    ],
    ["row 13", { timeoutSeconds: 0 }, "remoteCache.timeoutSeconds", /from 1 to 300/],
    ["row 13", { timeout_seconds: 301 }, "remoteCache.timeout_seconds", /from 1 to 300/],
    ["row 14", { maxConcurrent: 101 }, "remoteCache.maxConcurrent", /from 1 to 100/],
    ["row 15", { uploadEnabled: "no" }, "remoteCache.uploadEnabled", /true or false/],
    ["row 15", { download_enabled: 0 }, "remoteCache.download_enabled", /true or false/],
  ] as const;
  it.each(refusals)(
    "%s: %j is refused with the field's name",
    async (_, remoteCache, field, message) => {
      const own = createSandbox({ "env.cue": cue(plainTask) });
      const file = writeUser(own, "config.json", JSON.stringify({ cache: { remoteCache } }));
      const run = await own.cuenv(["cache", "validate", "--json"]);
      expect(run.code).toBe(3);
      expect(json(run)).toMatchObject({
        issues: [
          { file, line: 1, field: `cache.${field}`, message: expect.stringMatching(message) },
        ],
      });
      expect(await own.cuenv(["task", "t"])).toMatchObject({ code: 3, stdout: "" });
    },
  );

  it("row 11: grpc:// and grpcs:// are taken, from the user's file and from the variable", async () => {
    const own = createSandbox({ "env.cue": cue(plainTask) });
    writeUser(
      own,
      "config.yaml",
      "cache:\n  remote_cache:\n    endpoint: grpc://user.example:9092\n    timeout_seconds: 60\n    upload_enabled: false\n",
    );
    expect(await settingsOf(own)).toMatchObject({
      "remoteCache.endpoint": { value: "grpc://user.example:9092", source: "user" },
      "remoteCache.timeoutSeconds": { value: 60, source: "user" },
      "remoteCache.uploadEnabled": { value: false, source: "user" },
      "remoteCache.downloadEnabled": { value: true, source: "default" },
    });
    const env = {
      CUENV_REMOTE_CACHE_ENDPOINT: "grpcs://env.example",
      CUENV_REMOTE_CACHE_TIMEOUT: "5",
      CUENV_REMOTE_CACHE_DOWNLOAD: "false",
    };
    expect(await settingsOf(own, [], { env })).toMatchObject({
      "remoteCache.endpoint": { value: "grpcs://env.example", source: "environment" },
      "remoteCache.timeoutSeconds": { value: 5, source: "environment" },
      "remoteCache.uploadEnabled": { value: false, source: "user" },
      "remoteCache.downloadEnabled": { value: false, source: "environment" },
    });
  });

  const evil = { endpoint: "grpc://evil.example", authToken: "x" };
  it.each([
    ["cuenv.cache.json", JSON.stringify({ remoteCache: evil })],
    ["cuenv.cache.yaml", "remote_cache:\n  endpoint: grpc://evil.example\n  auth_token: x\n"],
    [
      "config.cue",
      'package cuenv\n\nconfig: cache: remoteCache: {endpoint: "grpc://evil.example", authToken: "x"}\n',
    ],
  ])(
    "row 11: no file of the project says where the cache is: %s is refused with the place",
    async (name, text) => {
      const own = createSandbox({
        "env.cue": 'package cuenv\n\ntasks: t: {command: "echo ran", inputs: []}\n',
        [name]: text,
      });
      // Not even when the user has one, too.
      writeUser(
        own,
        "config.json",
        '{"cache": {"remoteCache": {"endpoint": "grpc://mine.example"}}}',
      );
      const run = await own.cuenv(["task", "t"]);
      expect(run).toMatchObject({ code: 3, stdout: "" });
      expect(run.stderr).toMatch(
        new RegExp(
          `^error: ${name.replaceAll(".", "\\.")}:\\d+:\\d+: .*endpoint.*not the project's to set.*\\[CONFIG_USERS_ONLY\\]$`,
          "m",
        ),
      );
      const validated = json(await own.cuenv(["cache", "validate", "--json"])) as {
        issues: { field: string; suggestion: string }[];
      };
      expect(
        validated.issues.map(({ field }) =>
          field
            .replace(/^config\.cache\./, "")
            .replaceAll("_", "")
            .toLowerCase(),
        ),
      ).toEqual(["remotecache.endpoint", "remotecache.authtoken"]);
      expect(validated.issues[0]?.suggestion).toContain("CUENV_REMOTE_CACHE_ENDPOINT");
    },
  );
});

describe.concurrent("cuenv cache validate", () => {
  it("row 50: reports file, line, field, message and suggestion of everything at once, and fails", async () => {
    const own = createSandbox({
      "env.cue":
        'package cuenv\n\ntasks: t: {\n\tcommand: "true"\n\ttimeout: "soon"\n}\nconfig: cache: maxSize: "1"\n',
      "cuenv.cache.yaml": "evictionPolicy: random\nstatsRetentionDays: 0\nmaxAgee: 7d\n",
    });
    const user = writeUser(own, "config.json", '{"cache": {"enabled": "yes"}}');
    const run = await own.cuenv(["cache", "validate", "--json"], {
      env: { CUENV_CACHE: "on", CUENV_CACHE_MAXSIZE: "1GiB" },
    });
    expect(run.code).toBe(3);
    const { issues } = json(run) as { issues: Record<string, unknown>[] };
    const yaml = own.path("cuenv.cache.yaml");
    expect(issues.map(({ file, line, field }) => [file, line, field])).toEqual([
      [own.path("env.cue"), 5, "tasks.t.timeout"],
      [own.path("env.cue"), 7, "config.cache.maxSize"],
      [yaml, 1, "evictionPolicy"],
      [yaml, 2, "statsRetentionDays"],
      [yaml, 3, "maxAgee"],
      [user, 1, "cache.enabled"],
      [null, null, "defaultMode"],
      [null, null, "CUENV_CACHE_MAXSIZE"],
    ]);
    for (const issue of issues)
      expect(issue).toMatchObject({ message: expect.stringMatching(/\w/) });
    expect(issues[2]).toMatchObject({ suggestion: "the policies are LRU, LFU, FIFO, SizeBased" });
    const text = await own.cuenv(["cache", "validate"]);
    expect([text.code, text.stderr]).toEqual([3, ""]);
    expect(text.stdout).toMatch(
      /^error: cuenv\.cache\.yaml:1:1: .*`evictionPolicy` is "random".*\nhint: the policies are /m,
    );
  });

  it("row 50: a malformed pattern has its task and place, when it is validated and when the task runs", async () => {
    const own = createSandbox({
      "env.cue":
        'tasks: {\n\ta: {command: "true", inputs: ["src/[a"]}\n\tb: {command: "true", outputs: ["{b"]}\n\tc: {command: "true", inputs: ["src/*"]}\n}\n',
    });
    const validated = await own.cuenv(["cache", "validate"]);
    expect(validated.code).toBe(3);
    expect(validated.stdout).toMatch(
      /^error: env\.cue:2:\d+: cannot read task a: pattern "src\/\[a": .*\n(?:hint: .*\n)?error: env\.cue:3:\d+: cannot read task b: pattern "\{b": /,
    );
    const run = await own.cuenv(["task", "a"]);
    expect(run).toMatchObject({ code: 3, stdout: "" });
    expect(run.stderr).toMatch(/^error: env\.cue:2:\d+: cannot read task a: pattern "src\/\[a"/);
  });

  it('row 39: the schema refuses `cache: "yes"` with its place', async () => {
    const own = createSandbox({
      "env.cue": 'package cuenv\n\ntasks: t: {command: "true", cache: "yes"}\n',
    });
    const run = await own.cuenv(["cache", "validate", "--json"]);
    expect(run.code).toBe(3);
    expect(json(run)).toMatchObject({
      issues: [
        {
          file: own.path("env.cue"),
          line: 3,
          field: "tasks.t.cache",
          message: expect.stringMatching(/true or false/),
        },
      ],
    });
  });

  it.each([
    ["row 9: less than 1MiB", "maxSize", "1023KiB"],
    ["row 9: more than 1TiB", "maxSize", "1025GiB"],
    ["row 16: an unknown policy", "evictionPolicy", "ARC"],
    ["row 17: no day at all", "statsRetentionDays", 0],
    ["row 8: an empty folder", "cacheDir", " "],
  ])("%s is an issue", async (_, field, value) => {
    const own = createSandbox({
      "env.cue": cue(plainTask),
      "cuenv.cache.json": JSON.stringify({ [field]: value }),
    });
    const run = await own.cuenv(["cache", "validate", "--json"]);
    expect([run.code, json(run)]).toMatchObject([3, { issues: [{ field, line: 1 }] }]);
  });

  it("an unknown setting is an issue, though no reason for a run to stop", async () => {
    const own = createSandbox({
      "env.cue": cue(plainTask),
      "cuenv.cache.json": '{"maxSzie": "2GiB"}',
    });
    const run = await own.cuenv(["cache", "validate", "--json"]);
    expect([run.code, json(run)]).toMatchObject([3, { issues: [{ field: "maxSzie", line: 1 }] }]);
  });

  it("is content with what is right, and with nothing at all", async () => {
    const own = createSandbox({ "env.cue": cue(plainTask) });
    expect(await own.cuenv(["cache", "validate"])).toMatchObject({
      code: 0,
      stdout: "Checked env.cue: 0 errors, 0 warnings\n",
      stderr: "",
    });
    const none = createSandbox({});
    expect((await none.cuenv(["cache", "validate"])).code).toBe(0);
  });

  it("finds the place where CUE, JSON and YAML cannot be read", async () => {
    const own = createSandbox({
      "env.cue": "package cuenv\ntasks: {\n",
      "cuenv.cache.json": "{,}",
    });
    writeUser(own, "config.yaml", "a: [\n");
    const run = await own.cuenv(["cache", "validate", "--json"]);
    const { issues } = json(run) as { issues: { file: string; line: number | null }[] };
    expect(issues.map(({ file, line }) => [file.split("/").at(-1), typeof line])).toEqual([
      ["env.cue", "number"],
      ["cuenv.cache.json", "number"],
      ["config.yaml", "number"],
    ]);
  });
});
