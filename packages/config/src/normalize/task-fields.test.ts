import { describe, expect, it } from "vitest";
import { codesOf, commandOf, oneTask, problemsOf, projectOf } from "../../test/projects.ts";

describe("what a task executes", () => {
  it.each(["npm", "./run.sh", "true", "vitest "])(
    "executes the single word %j without a shell",
    (command) => {
      expect(oneTask({ command }).action).toEqual({ kind: "argv", argv: [command.trim()] });
    },
  );

  it.each(["npm test", "exit", "cd", "A=1", "a;b", "$X", "~/x", "ls*", "time", "echo >x"])(
    "leaves %j to sh",
    (command) => {
      expect(oneTask({ command }).action).toEqual({
        kind: "shell",
        shell: ["sh", "-c"],
        script: command,
        appendArguments: true,
      });
    },
  );

  it("executes a command with args without a shell, an empty list too", () => {
    expect(oneTask({ command: "a b", args: ["$X", 1, true] }).action).toEqual({
      kind: "argv",
      argv: ["a b", "$X", "1", "true"],
    });
    expect(oneTask({ command: "cd", args: [] }).action).toEqual({ kind: "argv", argv: ["cd"] });
  });

  it.each([
    ["zsh", ["zsh", "-c"]],
    ["/bin/bash", ["/bin/bash", "-c"]],
    ["node", ["node", "-e"]],
    ["pwsh", ["pwsh", "-Command"]],
    [{ command: "fish", flag: "--command" }, ["fish", "--command"]],
  ])("gives a command to the shell %j", (shell, argv) => {
    expect(oneTask({ shell }).action).toMatchObject({ kind: "shell", shell: argv });
  });

  it("turns shell options into flags, with 0.54's defaults", () => {
    const shell = (fields: object): unknown =>
      oneTask({ command: null, script: "x", ...fields }).action;
    expect(shell({ shellOptions: {} })).toMatchObject({
      shell: ["bash", "-e", "-u", "-o", "pipefail", "-c"],
    });
    expect(
      shell({ shellOptions: { xtrace: true, nounset: false }, scriptShell: "sh" }),
    ).toMatchObject({
      shell: ["sh", "-e", "-x", "-c"],
    });
    expect(codesOf(() => shell({ shellOptions: {}, scriptShell: "python" }))).toEqual([
      "CONFIG_VALUE",
    ]);
    expect(codesOf(() => shell({ shellOptions: { errxit: true } }))).toEqual([
      "CONFIG_UNKNOWN_FIELD",
    ]);
  });

  it.each([
    [{ command: "" }],
    [{ command: " \n" }],
    [{ command: null, script: "" }],
    [{ command: null, description: "nothing to do" }],
    [{ command: "a\0b" }],
    [{}, {}],
  ])("refuses %j, which has not one thing to execute", (fields, whole?: object) => {
    const run = (): unknown => (whole === undefined ? oneTask(fields) : projectOf({ task: whole }));
    expect(codesOf(run)).toEqual(["CONFIG_ACTION"]);
  });

  it("refuses to run what has both command and script, which cuenv 0.54 took, and loads the others", () => {
    const project = projectOf({ both: { command: "a", script: "b" }, other: { command: "a" } });
    expect(commandOf(project, "both").action).toMatchObject({
      kind: "refused",
      message: "cannot run task both: it has both `command` and `script`",
    });
    expect(commandOf(project, "other").action.kind).toBe("argv");
  });

  it.each([
    [{ command: 3 }],
    [{ command: ["a"] }],
    [{ args: "x" }],
    [{ args: [["x"]] }],
    [{ args: [null] }],
    [{ description: 1 }],
    [{ env: [] }],
    [{ inputs: "src" }],
    [{ outputs: [1] }],
    [{ dependencies: "a" }],
    [{ dependencies: [1] }],
    [{ cache: "yes" }],
    [{ retry: 3 }],
    [{ continueOnError: "no" }],
    [{ params: [] }],
    [{ workingDir: 1 }],
    [{ security: true }],
  ])("refuses %j, which has the wrong type", (fields) => {
    expect(codesOf(() => oneTask(fields))).toEqual(["CONFIG_TYPE"]);
  });

  it("names a misspelt field with the near one, and does not add that the command is missing", () => {
    const problems = problemsOf(() => projectOf({ build: { comand: "tsc", outputs: ["dist"] } }));
    expect(problems).toMatchObject([
      {
        code: "CONFIG_UNKNOWN_FIELD",
        message: "cannot read task build: `comand` is not a field of it",
        hint: "did you mean `command`?",
      },
    ]);
  });

  it("collects what is wrong all over the file in one pass", () => {
    const codes = codesOf(() =>
      projectOf({
        a: { command: "" },
        b: { command: "x", outpts: [] },
        c: { command: "x", dependencies: ["nobody"], timeout: "soon" },
        d: 3,
      }),
    );
    expect(codes.toSorted()).toEqual([
      "CONFIG_ACTION",
      "CONFIG_TYPE",
      "CONFIG_UNKNOWN_FIELD",
      "CONFIG_UNKNOWN_TASK",
      "CONFIG_VALUE",
    ]);
  });
});

describe("times", () => {
  it.each([
    [90, 90_000],
    [0.5, 500],
    ["30m", 1_800_000],
    ["500ms", 500],
    ["1h30m", 5_400_000],
  ])("reads a timeout of %j", (timeout, milliseconds) => {
    expect(oneTask({ timeout }).timeoutMs).toBe(milliseconds);
  });

  it.each([0, -1, "0s", "soon", "30", "60d", 1e12, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses a timeout of %j",
    (timeout) => {
      expect(codesOf(() => oneTask({ timeout }))).toEqual(["CONFIG_VALUE"]);
    },
  );

  it("runs a task once unless it says how often", () => {
    expect(oneTask({}).retry).toEqual({ attempts: 1, delayMs: 0 });
    expect(oneTask({ retry: {} }).retry).toEqual({ attempts: 3, delayMs: 0 });
    expect(oneTask({ retry: { attempts: 5, delay: "2s" } }).retry).toEqual({
      attempts: 5,
      delayMs: 2000,
    });
    expect(codesOf(() => oneTask({ retry: { attempts: 0 } }))).toEqual(["CONFIG_VALUE"]);
  });
});

describe("what makes a task cached", () => {
  const cacheOf = (fields: object): unknown => {
    const { enabled, disabledReason, mode } = oneTask({ ...fields }).cache;
    return [enabled, disabledReason, mode];
  };

  it.each([
    [{}, [false, "undeclared", undefined]],
    [{ inputs: [] }, [true, undefined, undefined]],
    [{ outputs: [] }, [true, undefined, undefined]],
    [{ inputs: ["src"], cache: null }, [true, undefined, undefined]],
    [{ cache: true }, [true, undefined, undefined]],
    [{ cache: false, inputs: ["src"], outputs: ["x"] }, [false, "task", undefined]],
    [{ cache: { enabled: false }, inputs: ["src"] }, [false, "task", undefined]],
    [{ cache: { enabled: true } }, [true, undefined, undefined]],
    [{ cache: {} }, [true, undefined, undefined]],
    [{ cache: { mode: "never" }, inputs: [] }, [false, "task", undefined]],
    [{ cache: { mode: "READ" } }, [true, undefined, "read"]],
    [{ cacheKey: "v1" }, [true, undefined, undefined]],
    [{ cacheConfig: { extraInputs: ["x"] } }, [true, undefined, undefined]],
    [{ cacheConfig: { keyEpoch: 1 } }, [false, "undeclared", undefined]],
  ])("row 2: %j makes it %j", (fields, expected) => {
    expect(cacheOf(fields)).toEqual(expected);
  });

  it("row 7: refuses a mode that is none", () => {
    expect(problemsOf(() => oneTask({ cache: { mode: "sometimes" } }))).toMatchObject([
      { code: "CONFIG_CACHE_MODE", hint: expect.stringContaining("off, read, read-write, write") },
    ]);
  });

  it("row 22: reads cache.env, and cacheConfig wins over it", () => {
    const env = { include: ["A*"], exclude: ["AB"], useSmartDefaults: false };
    expect(oneTask({ cache: { enabled: true, env } }).cache).toMatchObject({
      enabled: true,
      envInclude: ["A*"],
      envExclude: ["AB"],
    });
    expect(oneTask({ cache: { env }, cacheConfig: { envInclude: ["B"] } }).cache).toMatchObject({
      envInclude: ["B"],
      envExclude: ["AB"],
    });
  });

  it("row 22: reads cacheEnv as cache_env", () => {
    expect(oneTask({ cacheEnv: { include: ["X"] } }).cache.envInclude).toEqual(["X"]);
  });

  it("row 18: reads cacheKey in both spellings, and refuses an empty one", () => {
    expect(oneTask({ cacheKey: "a" }).cache.cacheKey).toBe("a");
    expect(oneTask({ cache_key: "a" }).cache.cacheKey).toBe("a");
    expect(codesOf(() => oneTask({ cacheKey: "" }))).toEqual(["CONFIG_VALUE"]);
    expect(codesOf(() => oneTask({ cacheKey: "a", cache_key: "b" }))).toEqual(["CONFIG_VALUE"]);
  });

  const expected = {
    envInclude: ["LC_*"],
    envExclude: ["*_TOKEN"],
    envMode: "loose",
    extraInputs: ["tools/x", "a/"],
    ignoreInputs: ["src/**/*.md"],
    customKeyComponents: { a: "1", b: "2", c: "true" },
    runtime: ["go version"],
    keyEpoch: 2,
    maxAgeMs: 60_000,
  };

  it("rows 19, 20, 21: reads cacheConfig in camelCase and in snake_case", () => {
    const camel = {
      envInclude: ["LC_*"],
      envExclude: ["*_TOKEN"],
      envMode: "LOOSE",
      extraInputs: ["//tools/x", "./a/"],
      ignoreInputs: ["src/**/*.md"],
      customKeyComponents: { a: "1", b: 2, c: true },
      runtime: ["go version"],
      keyEpoch: 2,
      maxAge: "1m",
    };
    const snake = Object.fromEntries(
      Object.entries(camel).map(([name, value]) => [
        name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
        value,
      ]),
    );
    expect(oneTask({ cacheConfig: camel }).cache).toMatchObject(expected);
    expect(oneTask({ cache_config: snake }).cache).toMatchObject(expected);
  });

  it("row 19: a task's list replaces the global one only when it is set", () => {
    const { envInclude, envExclude } = oneTask({ cacheConfig: { envInclude: [] } }).cache;
    expect([envInclude, envExclude]).toEqual([[], undefined]);
  });

  it.each([
    [{ envInclud: [] }, "CONFIG_UNKNOWN_FIELD"],
    [{ extraInputs: "src" }, "CONFIG_TYPE"],
    [{ extraInputs: ["../../x"] }, "CONFIG_OUTSIDE_WORKSPACE"],
    [{ customKeyComponents: { a: [] } }, "CONFIG_TYPE"],
    [{ envMode: "open" }, "CONFIG_VALUE"],
    [{ runtime: [""] }, "CONFIG_VALUE"],
    [{ keyEpoch: -1 }, "CONFIG_VALUE"],
    [{ maxAge: 7 }, "CONFIG_TYPE"],
  ])("rows 19, 20, 21: refuses cacheConfig %j", (cacheConfig, code) => {
    expect(codesOf(() => oneTask({ cacheConfig }))).toEqual([code]);
  });

  it("row 21: takes a component whatever its name, since CUE hands over no hidden field", () => {
    const customKeyComponents = { _a: "1", "#b": "2" };
    const { cache } = oneTask({ cacheConfig: { customKeyComponents } });
    expect(cache.customKeyComponents).toEqual(customKeyComponents);
  });

  it("names the fields of cacheConfig that have no effect", () => {
    const { warnings } = projectOf({
      a: { command: "x", cacheConfig: { timeout: 3, max_size: "1GB" } },
    });
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining("`timeout` in `cacheConfig` has no effect"),
      expect.stringContaining("`max_size` in `cacheConfig` has no effect"),
    ]);
  });
});

describe("parameters", () => {
  it.each([
    [{ positional: [3] }, "CONFIG_TYPE"],
    [{ positional: [{ typ: "int" }] }, "CONFIG_UNKNOWN_FIELD"],
    [{ level: { type: "float" } }, "CONFIG_VALUE"],
    [{ level: { short: "lv" } }, "CONFIG_VALUE"],
    [{ "a b": {} }, "CONFIG_NAME"],
  ])("refuses %j", (params, code) => {
    expect(codesOf(() => oneTask({ params }))).toEqual([code]);
  });
});

describe("security", () => {
  it.each([
    [{ restrictDisk: true }],
    [{ restrictNetwork: true, allowedHosts: ["x"] }],
    [{ inferFromInputsOutputs: true }],
    [{ denyPaths: ["/etc"] }],
  ])("row 49: %j makes the task refused, never run without it", (security) => {
    expect(oneTask({ security }).action.kind).toBe("refused");
  });

  it("row 49: is only named where it restricts nothing", () => {
    const project = projectOf({
      a: { command: "x", security: { restrictDisk: false, readOnlyPaths: ["/usr"] } },
    });
    expect(project.warnings.map(({ message }) => message)).toEqual([
      "`security` has no effect: nothing in it restricts the task (a)",
    ]);
    expect(project.tasks["a"]).toMatchObject({ action: { kind: "argv" } });
  });

  it("names a field once, with the first tasks that have it", () => {
    const task = { command: "x", labels: ["l"] };
    const { warnings } = projectOf({ a: task, b: task, c: task, d: task, e: task });
    expect(warnings.map(({ message }) => message)).toEqual([
      "`labels` has no effect in this version (a, b, c and 2 more)",
    ]);
  });
});
