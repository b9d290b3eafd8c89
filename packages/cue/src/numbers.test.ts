import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorOf, projectsForTests } from "../test/projects.ts";
import { evaluate } from "./index.ts";

const projects = projectsForTests();

describe("numbers", () => {
  it("are the text that they are in CUE, where they become text and JSON's would be others", async () => {
    const directory = projects.make({
      "env.cue": `package cuenv
env: {
	PYTHON: 3.10
	ID:     123456789012345678
	SMALL:  0.0000001
	PORT:   8080
	HALF:   0.5
	LIST: ["v", 1.0]
	ZERO: 0
}
environment: production: PYTHON: -2.70
tasks: build: {
	command: "echo"
	args: [3.10, 9007199254740993, 12345678901234567890123, -1, 1Ki, 0x10, 1e3]
	env: VERSION: 20.0
	timeout: 1.50
	cacheConfig: {customKeyComponents: {a: 9007199254740993}, keyEpoch: 7}
}
`,
    });
    const { evaluation } = await evaluate({ directory });
    expect(evaluation.value).toEqual({
      env: {
        PYTHON: "3.10",
        ID: "123456789012345678",
        SMALL: 1e-7,
        PORT: 8080,
        HALF: 0.5,
        LIST: ["v", "1.0"],
        ZERO: 0,
      },
      environment: { production: { PYTHON: "-2.70" } },
      tasks: {
        build: {
          command: "echo",
          args: ["3.10", "9007199254740993", "12345678901234567890123", -1, 1024, 16, 1000],
          env: { VERSION: "20.0" },
          timeout: 1.5,
          cacheConfig: { customKeyComponents: { a: "9007199254740993" }, keyEpoch: 7 },
        },
      },
    });
  });

  it("may be of any size where they become text", async () => {
    const long = `1${"0".repeat(400)}`;
    const directory = projects.make({ "env.cue": `package cuenv\nenv: A: ${long}\n` });
    const { evaluation } = await evaluate({ directory });
    expect(evaluation.value).toEqual({ env: { A: long } });
  });

  it("are refused where JSON has none like them, with their place", async () => {
    const directory = projects.make({
      "env.cue": 'package cuenv\nimport "math"\na: "b/c": [0, math.Sqrt(-1)]\n',
    });
    expect(await errorOf(evaluate({ directory }))).toMatchObject({
      code: "CUE_EVALUATION",
      message: "cannot evaluate a.b/c.1: NaN is not a number that can be used",
      location: { file: join(directory, "env.cue"), line: 3, column: 15 },
    });
    const alone = projects.make({ "env.cue": 'package cuenv\nimport "math"\nmath.Log(0)\n' });
    expect(await errorOf(evaluate({ directory: alone, validate: false }))).toMatchObject({
      code: "CUE_EVALUATION",
      message: expect.stringContaining("-Infinity is not a number that can be used"),
    });
    const large = projects.make({ "env.cue": "package cuenv\na: [1e300, 1e400]\n" });
    expect(await errorOf(evaluate({ directory: large }))).toMatchObject({
      code: "CUE_EVALUATION",
      message: "cannot evaluate a.1: 1E+400 is not a number that can be used",
    });
  });
});
