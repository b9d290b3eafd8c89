import { beforeAll, describe, expect, it, vi } from "vitest";
import { isAlive } from "./is-alive.ts";
import { cacheStatus, runJson, statusOf } from "./run-json.ts";
import { counting, createSandbox, cue } from "./sandbox.ts";

const log = (text: string): string => `echo ${text} >> ../order`;
const tasksText = `
tasks: {
	"build:js": {command: "echo js", inputs: []}
	"build:css": {command: "echo css", inputs: []}
	"test:unit": {command: "echo unit", inputs: []}
	group: {
		type: "group"
		a: {command: "echo a"}
		b: {command: "echo b", dependencies: ["a"]}
		inner: {
			type: "group"
			c: {command: "echo c"}
		}
	}
	afterGroup: {command: "echo after", dependencies: ["group"]}
	steps: [
		{command: "${log("first")}"},
		{command: "sleep 0.05; ${log("second")}"},
		{command: "${log("third")}"},
	]
	broken: [{command: "exit 4"}, {command: "touch ../not-reached"}]
	greet: {
		command: "echo {{greeting}} {{0}} {{loud}}"
		params: {
			positional: [{description: "who", required: true}]
			greeting: {default: "hello", short: "g"}
			loud: {type: "bool", default: "false"}
		}
		inputs: []
	}
	version: {command: "printf '1.2.3\\\\n\\\\n'", inputs: []}
	tag: {command: "echo", args: ["v", tasks.version.stdout], inputs: []}
	tagged: {command: "echo $VERSION", env: VERSION: tasks.version.stdout, inputs: []}
	where: {command: "pwd", workingDir: "sub"}
	bash: {shellOptions: {}, script: "a=(1 2 3); echo \${#a[@]}; false | true; echo not reached"}
	node: {script: "console.log('node', 1 + 1)", scriptShell: "node"}
}
`;
const project = createSandbox({ "env.cue": tasksText, "sub/x": "" });
beforeAll(() => project.cuenv(["task"]));

async function linesOf(args: readonly string[]): Promise<string[]> {
  const run = await project.cuenv(["task", "--output", "raw", ...args]);
  expect(run.code, run.stderr).toBe(0);
  return run.stdout.trim().split("\n");
}

describe.concurrent("names, groups and sequences", () => {
  it("row 22: names may contain a colon, and a pattern takes all that it fits", async () => {
    expect(await linesOf(["build:js"])).toEqual(["js"]);
    expect((await linesOf(["build:*"])).toSorted()).toEqual(["css", "js"]);
    expect((await linesOf(["*:unit", "build:css"])).toSorted()).toEqual(["css", "unit"]);
    const none = await project.cuenv(["task", "deploy:*"]);
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toMatch(/"deploy:\*": no task matches it/);
  });

  it("row 22: a group runs its members, nested ones too, and is waited for as one", async () => {
    expect((await linesOf(["group"])).toSorted()).toEqual(["a", "b", "c"]);
    const lines = await linesOf(["afterGroup"]);
    expect(lines.at(-1)).toBe("after");
    expect(lines.toSorted()).toEqual(["a", "after", "b", "c"]);
    expect(await linesOf(["group.inner"])).toEqual(["c"]);
  });

  it("row 22: a sequence runs one step after the other, and ends at the first failure", async () => {
    expect((await project.cuenv(["task", "steps", "--jobs", "4"])).code).toBe(0);
    expect(project.read("../order")).toBe("first\nsecond\nthird\n");
    expect((await project.cuenv(["task", "broken"])).code).toBe(4);
    expect(project.exists("../not-reached")).toBe(false);
  });

  it("row 22: a script runs in bash with strict options; an interpreter can be named", async () => {
    const bash = await project.cuenv(["task", "bash"]);
    expect(bash).toMatchObject({ code: 1, stdout: "3\n" });
    expect(await linesOf(["node"])).toEqual(["node 2"]);
    expect(await linesOf(["where"])).toEqual([project.path("sub")]);
  });
});

describe.concurrent("parameters and references", () => {
  it("row 25: parameters are filled from the arguments and are in the key", async () => {
    expect(await linesOf(["greet", "--", "world"])).toEqual(["hello world false"]);
    expect(await linesOf(["greet", "--", "a b", "-g", "good day", "--loud"])).toEqual([
      "good day a b true",
    ]);
    expect(await statusOf(project, "greet", { args: ["--", "world"] })).toBe("hit");
    expect(await statusOf(project, "greet", { args: ["--", "you"] })).toBe("miss");
  });

  it("row 25: a parameter's value is data, never code", async () => {
    const args = ["greet", "--", "$(touch ../injected); `touch ../injected`; echo '"];
    expect(await linesOf(args)).toEqual([
      "hello $(touch ../injected); `touch ../injected`; echo ' false",
    ]);
    expect(project.exists("../injected")).toBe(false);
  });

  it.each([
    [[], /missing/],
    [["a", "b"], /one argument too many/],
    [["a", "--greetnig", "x"], /did you mean --greeting\?/],
    [["a", "--loud=maybe"], /true or false/],
  ])("row 25: wrong arguments %j are a usage error", async (args, reason) => {
    const run = await project.cuenv(["task", "greet", "--", ...args]);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toMatch(reason);
  });

  it("arguments that do not fit are told before what the task needs has run", async () => {
    const own = createSandbox({
      "env.cue": `tasks: {
	build: {command: "touch ../built"}
	show: {command: "echo {{0}}", params: positional: [{required: true}], dependencies: ["build"]}
	quiz: {scriptShell: "node", script: "'{{name}}'", params: name: {}, dependencies: ["build"]}
}
`,
    });
    const wrong = [
      ["show"],
      ["show", "--dry-run"],
      ["show", "--watch"],
      ["quiz", "--", "--name=';"],
    ];
    for (const args of wrong) {
      const run = await own.cuenv(["task", ...args]);
      expect(run, args.join(" ")).toMatchObject({ code: 2, stdout: "" });
      expect(run.stderr).toContain("[RUN_ARGUMENTS]");
    }
    expect(own.exists("../built")).toBe(false);
  });

  it("row 25: what another task printed is an argument or a variable, on a hit too", async () => {
    expect((await linesOf(["tag"])).at(-1)).toBe("v 1.2.3");
    expect((await linesOf(["tag"])).at(-1)).toBe("v 1.2.3");
    expect((await linesOf(["tagged"])).at(-1)).toBe("1.2.3");
    expect(await cacheStatus(project, ["tag"])).toEqual({ version: "hit", tag: "hit" });
  });

  it("row 25: the key of a task that uses another's output has what came of that run", async () => {
    const own = createSandbox({
      "v.txt": "1",
      "env.cue": `tasks: {
	version: {command: "cat v.txt", inputs: ["v.txt"]}
	tag: {command: "echo", args: [tasks.version.stdout], inputs: []}
}
`,
    });
    expect(await cacheStatus(own, ["tag"])).toEqual({ version: "miss", tag: "miss" });
    own.write("v.txt", "2");
    expect(await cacheStatus(own, ["tag"])).toEqual({ version: "miss", tag: "miss" });
    const run = await own.cuenv(["task", "tag", "--output", "raw"]);
    expect(run.stdout).toMatch(/2\n$/);
  });
});

describe.concurrent("failures in a plan", () => {
  const failing = createSandbox({
    "env.cue": cue({
      tasks: {
        bad: { command: "exit 9" },
        ...Object.fromEntries(
          ["1", "2", "3", "4", "5", "6", "7"].map((name) => [
            `wrong:${name}`,
            { command: "exit 1" },
          ]),
        ),
        dependent: { ...counting("dependent"), dependencies: ["bad"] },
        other: { ...counting("other", "sleep 0.1") },
        later: { ...counting("later"), dependencies: ["other"] },
        excused: { command: "exit 9", continueOnError: true },
        afterExcused: { ...counting("afterExcused"), dependencies: ["excused"], inputs: [] },
        flaky: {
          ...counting("flaky", "test $(wc -l < ../flaky) -ge 3"),
          retry: { attempts: 3, delay: "10ms" },
          inputs: [],
        },
        hopeless: { ...counting("hopeless", "exit 6"), retry: { attempts: 2 } },
        tree: {
          command: "sh -c 'sleep 120 & echo $! > ../grandchild; wait' & wait",
          timeout: "2s",
        },
      },
    }),
  });
  beforeAll(() => failing.cuenv(["task"]));

  it("row 31: what depends on a failed task is skipped, and the exit code is that task's", async () => {
    const run = await runJson(failing, ["dependent"]);
    expect(run.code).toBe(9);
    expect(run.tasks["bad"]).toMatchObject({ outcome: "failed", exitCode: 9 });
    expect(run.tasks["dependent"]).toMatchObject({ outcome: "skipped", exitCode: null });
    expect(failing.count("../dependent")).toBe(0);
    expect(run.summary).toMatchObject({ failed: 1, exitCode: 9 });
  });

  it("the last line names the tasks that failed, a few of many", async () => {
    const lastLine = async (...args: readonly string[]): Promise<string | undefined> =>
      (await failing.cuenv(["task", ...args])).stderr.trimEnd().split("\n").at(-1);
    expect(await lastLine("dependent")).toMatch(
      /^cuenv 2 tasks: 0 hit, 1 ran, 1 failed \(bad\), 1 skipped in /,
    );
    expect(await lastLine("wrong:*", "--continue-on-error")).toMatch(
      / 7 failed \(wrong:1, wrong:2, wrong:3, wrong:4, wrong:5 and 2 more\) in /,
    );
  });

  it("row 31: --continue-on-error runs what does not depend on the failed task", async () => {
    const run = await runJson(failing, ["dependent", "later", "--continue-on-error", "-j1"]);
    expect(run.code).toBe(9);
    expect(run.tasks["later"]?.outcome).toBe("succeeded");
    expect(run.tasks["dependent"]?.outcome).toBe("skipped");
  });

  it("row 31: a task with `continueOnError` that runs alone says that it failed, since the exit code does not", async () => {
    const sandbox = createSandbox({
      "env.cue": cue({ tasks: { alone: { command: "exit 9", continueOnError: true } } }),
    });
    const run = await sandbox.cuenv(["task", "alone"]);
    expect(run.code).toBe(0);
    expect(run.stderr).toContain("cuenv alone: failed with exit code 9");
  });

  it("row 31: a task with `continueOnError` fails without failing the run; its dependents are not cached then", async () => {
    for (let time = 1; time <= 2; time += 1) {
      const run = await runJson(failing, ["afterExcused"]);
      expect(run.code).toBe(0);
      expect(run.tasks["excused"]).toMatchObject({ outcome: "failed", exitCode: 9 });
      expect(failing.count("../afterExcused")).toBe(time);
    }
  });

  it("row 31: a task is tried again as often as it says, then stored once it succeeded", async () => {
    const run = await runJson(failing, ["flaky"]);
    expect(run.code).toBe(0);
    expect(failing.count("../flaky")).toBe(3);
    expect(run.tasks["flaky"]?.cache.stored).toBe(true);
    expect(await statusOf(failing, "flaky")).toBe("hit");
    expect((await failing.cuenv(["task", "hopeless"])).code).toBe(6);
    expect(failing.count("../hopeless")).toBe(2);
  });

  it("row 31: a timeout ends the task's grandchildren too", async () => {
    const run = await failing.cuenv(["task", "tree"]);
    expect(run.code).toBe(124);
    const pid = Number(failing.read("../grandchild"));
    expect(pid).toBeGreaterThan(1);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000 });
  });
});
