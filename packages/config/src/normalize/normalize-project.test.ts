import { describe, expect, it } from "vitest";
import { codesOf, commandOf, fixture, problemsOf, projectOf, taskOf } from "../../test/projects.ts";
import type { EvaluatedPackage } from "../evaluated-package.ts";
import { refusedError } from "../refused-error.ts";
import { normalizeProject } from "./normalize-project.ts";

const options = { projectDirectory: "apps/shop", workspaceRoot: "/repo" };

describe("a project of cuenv 0.4", () => {
  const project = normalizeProject(fixture("era-0.4"), options);

  it("row 40: keeps tasks flat, with colons in their names, in the order written", () => {
    expect(Object.keys(project.tasks)).toEqual([
      "lint",
      "test:unit",
      "build",
      "deploy",
      "legacy",
      "boxed",
    ]);
    expect(taskOf(project, "build").dependencies).toEqual(["test:unit"]);
  });

  it("runs a command string in sh and a script in bash, or in the shell it names", () => {
    expect(commandOf(project, "lint").action).toEqual({
      kind: "shell",
      shell: ["sh", "-c"],
      script: "eslint . && prettier --check .",
      appendArguments: true,
    });
    expect(commandOf(project, "build").action).toEqual({
      kind: "shell",
      shell: ["bash", "-c"],
      script: "tsc -b\ncp -r assets dist\n",
      appendArguments: false,
    });
    expect(commandOf(project, "legacy").action).toMatchObject({ shell: ["python3", "-c"] });
    expect(commandOf(project, "deploy").action).toEqual({
      kind: "argv",
      argv: ["rsync", "-a", "dist/", "host:/srv"],
    });
  });

  it("reads paths from the project's folder, and a timeout in seconds", () => {
    expect(commandOf(project, "build")).toMatchObject({
      inputs: ["src/", "tsconfig.json"],
      outputs: ["dist/"],
      directory: "web",
    });
    expect(commandOf(project, "test:unit").timeoutMs).toBe(90_000);
  });

  it("takes variables, secrets and environments from env", () => {
    expect(project.env).toEqual({
      APP_NAME: "shop",
      PORT: "3000",
      DB_PASSWORD: { kind: "secret", argv: ["vault", "read", "shop/db"] },
    });
    expect(project.environments).toEqual(["production", "staging"]);
  });

  it("row 22: warns of cache_env once, and honours it", () => {
    expect(commandOf(project, "legacy").cache).toMatchObject({
      enabled: true,
      envInclude: ["PY*"],
      envExclude: ["PYTHONPATH"],
    });
    expect(project.warnings.filter(({ message }) => message.includes("cache_env"))).toHaveLength(1);
  });

  it("names what is not honoured", () => {
    expect(project.warnings.map(({ message }) => message)).toEqual([
      "`hooks` has no effect in this version",
      "`capabilities` has no effect: every task sees every variable of `env`",
      expect.stringMatching(/^`cache_env` is deprecated: write `cacheConfig/),
    ]);
  });

  it("row 49: refuses to run a task whose restrictions cannot be enforced, and loads the others", () => {
    const boxed = commandOf(project, "boxed");
    expect(boxed.action.kind).toBe("refused");
    expect(refusedError(boxed)).toMatchObject({
      code: "CONFIG_REFUSED",
      exitCode: 3,
      message: expect.stringContaining("`security.restrictDisk`"),
      location: { file: "/work/shop/env.cue", line: 40, column: 2 },
    });
    expect(refusedError(taskOf(project, "lint"))).toBeUndefined();
  });

  it("survives JSON unchanged, so that it can be remembered", () => {
    expect(JSON.parse(JSON.stringify(project))).toEqual(project);
  });
});

describe("a project of cuenv 0.6", () => {
  const project = normalizeProject(fixture("era-0.6"), options);

  it("row 40: reads groups and sequences below `tasks`, nested ones, and members written without it", () => {
    expect(Object.keys(project.tasks)).toEqual([
      "fmt",
      "fmt[0]",
      "fmt[1]",
      "ci",
      "ci.quality",
      "ci.quality.lint",
      "ci.quality.audit",
      "ci.test",
      "ci.test.unit",
      "ci.test.slow",
      "ci.build",
      "nested",
      "nested.one",
      "nested.two",
      "stages",
      "stages.backup",
      "stages.upload",
      "ship",
    ]);
    expect(taskOf(project, "fmt")).toMatchObject({
      kind: "sequence",
      members: ["fmt[0]", "fmt[1]"],
    });
    expect(taskOf(project, "ci")).toMatchObject({
      kind: "group",
      members: ["ci.quality", "ci.test", "ci.build"],
    });
    expect(taskOf(project, "stages")).toMatchObject({ kind: "sequence" });
  });

  it("finds names from the inside out: siblings, group.sub, top level", () => {
    expect(taskOf(project, "ci.test").dependencies).toEqual(["ci.quality"]);
    expect(taskOf(project, "ci.build").dependencies).toEqual(["ci.test.unit", "fmt"]);
    expect(taskOf(project, "nested.two").dependencies).toEqual(["nested.one"]);
  });

  it("hands a group's dependencies to its members, and makes a step depend on the step before", () => {
    expect(taskOf(project, "ci.test.unit").dependencies).toEqual(["ci.quality"]);
    expect(taskOf(project, "fmt[1]").dependencies).toEqual(["fmt[0]"]);
    expect(taskOf(project, "stages.upload").dependencies).toEqual(["stages.backup"]);
  });

  it("reads secrets written as resolver texts, and the default environment", () => {
    expect(project.env).toEqual({
      TOKEN: { kind: "secret", argv: ["op", "read", "op://x/y"] },
      MODE: "release",
    });
  });

  it("takes cacheMode and cacheEnabled for settings, deprecated", () => {
    expect(project.cache).toEqual({ defaultMode: "read", enabled: true });
    const messages = project.warnings.map(({ message }) => message);
    expect(messages).toContain(
      "`config.cacheMode` is deprecated: write `config.cache.defaultMode`",
    );
    expect(messages).toContain("`config.cacheEnabled` is deprecated: write `config.cache.enabled`");
  });

  it("refuses to run what needs another project, and names it", () => {
    const { action } = commandOf(project, "ship");
    expect(action).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("projects:frontend:build#dist"),
    });
    const other = projectOf({ a: { command: "x", dependencies: ["pkg:path:task"] } });
    expect(commandOf(other, "a").action).toMatchObject({
      kind: "refused",
      message: expect.stringContaining('"pkg:path:task"'),
    });
  });
});

describe("a project of cuenv 0.54", () => {
  const project = normalizeProject(fixture("era-0.54"), options);

  it("row 40: reads typed groups, lists and references", () => {
    expect(project.name).toBe("demo");
    expect(taskOf(project, "check")).toMatchObject({
      kind: "group",
      members: ["check.types", "check.format"],
      dependencies: ["tmpdir"],
      maxConcurrency: 2,
    });
    expect(taskOf(project, "cleanup").dependencies).toEqual(["work"]);
    expect(taskOf(project, "pipeline")).toMatchObject({
      kind: "sequence",
      members: ["pipeline[0]", "pipeline[1]"],
    });
  });

  it("takes a member by reference for that very task, not for a copy", () => {
    expect(taskOf(project, "release")).toMatchObject({
      kind: "sequence",
      members: ["build", "cleanup"],
    });
    expect(project.tasks).not.toHaveProperty(["release[0]"]);
    expect(taskOf(project, "cleanup").dependencies).toEqual(["work"]);
  });

  it("makes a task depend on those whose output it uses", () => {
    expect(commandOf(project, "work")).toMatchObject({
      dependencies: ["tmpdir"],
      action: { argv: ["echo", "in", { kind: "taskOutput", task: "tmpdir", output: "stdout" }] },
      env: { CODE: { kind: "taskOutput", task: "tmpdir", output: "exitCode" } },
    });
    expect(commandOf(project, "pipeline[1]").action).toEqual({
      kind: "argv",
      argv: ["echo", { kind: "taskOutput", task: "pipeline[0]", output: "stdout" }],
    });
  });

  it("reads numbers, bools, interpolations, exec secrets and variables of the host", () => {
    expect(project.env).toEqual({
      PORT: "3000",
      DEBUG: "true",
      URL: {
        kind: "joined",
        parts: ["https://host:", { kind: "secret", argv: ["port-of", "web"] }, "/v1"],
      },
      PLAIN: "ab",
      HOST_NAME: { kind: "host", name: "HOSTNAME" },
    });
  });

  it("gives a variable with a policy to the tasks that it names and to no other", () => {
    expect(commandOf(project, "check.types").env).toEqual({ KEY: "sk-1" });
    expect(commandOf(project, "check.format").env).toEqual({});
    expect(project.env).not.toHaveProperty("KEY");
  });

  it("reads a script task with all its fields", () => {
    expect(commandOf(project, "build")).toEqual({
      kind: "command",
      name: "build",
      location: { file: "/repo/apps/shop/env.cue" },
      dependencies: ["tmpdir"],
      action: {
        kind: "shell",
        shell: ["bash", "-e", "-o", "pipefail", "-c"],
        script: "make all",
        appendArguments: false,
      },
      parameters: [
        { name: "0", position: 0, description: "What", required: true, type: "string" },
        { name: "level", required: false, type: "int", default: "1", short: "l" },
      ],
      directory: "../../tools",
      env: {},
      inputs: ["src/**"],
      taskInputs: [{ task: "tmpdir" }],
      outputs: ["out/**", "!out/tmp/**"],
      cache: {
        enabled: true,
        disabledReason: undefined,
        mode: "read-write",
        maxAgeMs: 43_200_000,
        cacheKey: undefined,
        envInclude: undefined,
        envExclude: undefined,
        envMode: undefined,
        extraInputs: [],
        ignoreInputs: [],
        customKeyComponents: {},
        runtime: [],
        keyEpoch: undefined,
      },
      timeoutMs: 5_400_000,
      retry: { attempts: 2, delayMs: 5000 },
      continueOnError: true,
    });
  });

  it.each([
    ["inputs", ["src", "src/{{name}}.txt"]],
    ["outputs", ["dist/{{ 0 }}"]],
    ["workingDir", "{{name}}"],
    ["env", { WHO: "{{name}}" }],
    ["cacheConfig", { extraInputs: ["{{name}}"] }],
  ])("refuses to run a task with a parameter in its %s, where none is put in", (field, value) => {
    const params = { name: { default: "a" }, positional: [{}] };
    const task = { command: "echo {{name}}", params, [field]: value };
    expect(commandOf(projectOf({ task }), "task").action).toEqual({
      kind: "refused",
      message: expect.stringMatching(
        `^cannot run task task: \\{\\{.*\\}\\} stands in its \`${field}\`, where no parameter is put in$`,
      ),
      hint: expect.stringContaining("`command`, `args` and `script`"),
    });
    const { params: _, ...without } = task;
    expect(commandOf(projectOf({ task: without }), "task").action.kind).toBe("shell");
  });

  it("refuses to run a task in a container on this machine, and warns of other runtimes", () => {
    expect(commandOf(project, "deploy").action).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("container"),
    });
    expect(commandOf(project, "work").action.kind).toBe("argv");
    const messages = project.warnings.map(({ message }) => message);
    expect(messages).toEqual([
      "`runtime` has no effect in this version",
      "a struct as `cache` of task build is deprecated: write `cache: true, cacheConfig: {maxAge: …}`",
      "`labels` has no effect in this version (check.types)",
      expect.stringMatching(/^`map` of an input has no effect: .* \(build\)$/),
      expect.stringMatching(/^`hermetic` has no effect in this version.* \(build\)$/),
    ]);
  });
});

describe("dir", () => {
  const at = (dir: unknown, more: Partial<EvaluatedPackage> = {}): string =>
    commandOf(
      normalizeProject(
        { value: { tasks: { t: { command: "x y", dir } } } as never, ...more },
        options,
      ),
      "t",
    ).directory;

  it("is relative to the project, the module, or the file that defines the task", () => {
    expect(at({ from: "caller", path: "web" })).toBe("web");
    expect(at({ path: "web/../api/" })).toBe("api");
    expect(at({ from: "module", path: "tools" })).toBe("../../tools");
    expect(at("tools")).toBe("../../tools");
    expect(at("apps/shop/web")).toBe("web");
    const positions = { "/tasks/t/command": { file: "/repo/lib/tasks.cue", line: 1 } };
    expect(at({ from: "definition", path: "x" }, { positions })).toBe("../../lib/x");
    expect(at({ from: "definition" })).toBe("");
  });

  it("never leaves the workspace", () => {
    for (const dir of ["../x", "/etc", { from: "caller", path: "../../.." }])
      expect(codesOf(() => at(dir))).toEqual(["CONFIG_OUTSIDE_WORKSPACE"]);
    expect(codesOf(() => at({ from: "moon" }))).toEqual(["CONFIG_VALUE"]);
  });
});

describe("environments", () => {
  const era = fixture("era-0.4");

  it("puts the chosen environment's variables over the others", () => {
    const { env } = normalizeProject(era, { ...options, environment: "staging" });
    expect(env).toMatchObject({ PORT: "8080", APP_NAME: "shop-staging" });
    expect(normalizeProject(era, { ...options, environment: "production" }).env).toMatchObject({
      PORT: "80",
      APP_NAME: "shop",
    });
  });

  it("refuses an unknown one and gives the near name", () => {
    const [problem] = problemsOf(() =>
      normalizeProject(era, { ...options, environment: "prodution" }),
    );
    expect(problem).toMatchObject({
      code: "CONFIG_UNKNOWN_ENVIRONMENT",
      hint: 'did you mean "production"? the environments are production, staging',
    });
  });

  it("takes overrides at the top level too", () => {
    const value = { env: { A: "1" }, environment: { ci: { A: "2" } } };
    expect(normalizeProject({ value }, { ...options, environment: "ci" }).env).toEqual({ A: "2" });
  });

  it("checks the environments that were not chosen", () => {
    const value = { env: { environment: { ci: { bad: "2" } } } };
    expect(codesOf(() => normalizeProject({ value }, options))).toEqual(["CONFIG_NAME"]);
  });
});

describe("variables", () => {
  const envOf = (env: unknown): unknown =>
    normalizeProject({ value: { env } as never }, options).env;

  it.each(["path", "A-B", "1A", "_X", "#X", "_x y", "ä"])("refuses the name %s", (name) => {
    expect(codesOf(() => envOf({ [name]: "x" }))).toEqual(["CONFIG_NAME"]);
  });

  it("proposes capitals", () => {
    expect(problemsOf(() => envOf({ node_env: "x" }))[0]?.hint).toBe("write NODE_ENV");
  });

  it.each([[{}], [{ value: {} }], [[["a"]]], [[{}]]])("refuses the value %j", (value) => {
    expect(codesOf(() => envOf({ A: value }))).toEqual(["CONFIG_TYPE"]);
  });

  it("refuses values that no process can be given, and secrets without a command", () => {
    expect(codesOf(() => envOf({ A: "x\0y" }))).toEqual(["CONFIG_VALUE"]);
    expect(codesOf(() => envOf({ A: { resolver: {} } }))).toEqual(["CONFIG_VALUE"]);
    expect(codesOf(() => envOf({ A: { resolver: { command: " " } } }))).toEqual(["CONFIG_VALUE"]);
    expect(codesOf(() => envOf({ A: "cuenv-resolver://nonsense" }))).toEqual(["CONFIG_VALUE"]);
  });

  it("refuses a task's output in the variables of all tasks", () => {
    const reference = { cuenvOutputRef: true, cuenvTask: "a", cuenvOutput: "stdout" };
    expect(codesOf(() => envOf({ A: reference }))).toEqual(["CONFIG_VALUE"]);
  });

  it("refuses to run the tasks that would miss a secret whose resolver is not there", () => {
    const value = {
      env: { A: { resolver: "infisical", path: "x" } },
      tasks: { uses: { command: "x" }, own: { command: "x", env: { A: "mine" } } },
    };
    const project = normalizeProject({ value }, options);
    expect(commandOf(project, "uses").action).toMatchObject({
      kind: "refused",
      message: expect.stringContaining('the resolver "infisical"'),
    });
    expect(commandOf(project, "own").action.kind).toBe("argv");
  });
});

describe("top-level fields", () => {
  const load = (value: Record<string, unknown>): unknown =>
    normalizeProject({ value } as EvaluatedPackage, options);

  it("are free, but for a near miss of a known one", () => {
    expect(codesOf(() => load({ lib: {}, helper: { a: 1 }, task: "text" }))).toEqual([]);
    expect(problemsOf(() => load({ tsaks: { a: { command: "x" } } }))).toMatchObject([
      { code: "CONFIG_UNKNOWN_FIELD", hint: "did you mean `tasks`?" },
    ]);
    expect(codesOf(() => load({ tasks: {}, tsaks: {} }))).toEqual(["CONFIG_UNKNOWN_FIELD"]);
    // A template beside the tasks is nobody's mistake.
    expect(codesOf(() => load({ tasks: {}, task: {} }))).toEqual([]);
  });

  it("reads config.cache, and refuses a misspelling in config", () => {
    const project = normalizeProject(
      { value: { config: { cacheMode: "off", cache: { defaultMode: "write", maxSize: "1GiB" } } } },
      options,
    );
    expect(project.cache).toEqual({ defaultMode: "write", maxSizeBytes: 1_073_741_824 });
    expect(codesOf(() => load({ config: { cahce: {} } }))).toEqual(["CONFIG_UNKNOWN_FIELD"]);
    expect(codesOf(() => load({ config: { cache: { enabled: "yes" } } }))).toEqual(["CONFIG_TYPE"]);
  });
});
