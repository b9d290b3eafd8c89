import { beforeAll, describe, expect, it, vi } from "vitest";
import { runJson, statusOf } from "./run-json.ts";
import { counting, createSandbox, cue } from "./sandbox.ts";

const project = createSandbox({
  "failing.in": "1\n",
  "self.in": "1\n",
  "watched/a.txt": "1\n",
  "env.cue": cue({
    tasks: {
      failing: {
        ...counting("failing", "echo made > failing.out; echo said; exit 7"),
        inputs: ["failing.in"],
        outputs: ["failing.out"],
      },
      slow: { ...counting("slow", "sleep 60"), inputs: [], timeout: "300ms" },
      signalled: { ...counting("signalled", "kill -KILL $$"), inputs: [] },
      missing: { command: "no-such-program-here", args: ["x"], inputs: [] },
      self: { ...counting("self", "echo more >> self.in"), inputs: ["self.in"] },
      adds: { ...counting("adds", "date +%s%N > watched/$$.txt"), inputs: ["watched/*.txt"] },
      fifo: { ...counting("fifo", "mkfifo pipe"), inputs: [], outputs: ["pipe"] },
      leaves: {
        ...counting("leaves", "ln -sfn /etc/passwd out-link"),
        inputs: [],
        outputs: ["out-link"],
      },
      unmade: { ...counting("unmade"), inputs: [], outputs: ["never/made"] },
      left: { ...counting("left", "sleep 3 & echo done"), inputs: [] },
    },
  }),
});
beforeAll(() => project.cuenv(["task"]));

describe.concurrent("runs that are not stored", () => {
  it("row 31: a failed run keeps its exit code and runs again", async () => {
    for (let time = 1; time <= 2; time += 1) {
      const run = await project.cuenv(["task", "failing"]);
      expect(run).toMatchObject({ code: 7, stdout: "said\n" });
      expect(project.count("../failing")).toBe(time);
    }
  });

  it("row 31: a run that its timeout ended exits with 124 and runs again", async () => {
    const first = await project.cuenv(["task", "slow"]);
    expect(first.code).toBe(124);
    expect(first.stderr).toMatch(/slow: was ended after its timeout of 300 ms/);
    expect((await project.cuenv(["task", "slow"])).code).toBe(124);
    expect(project.count("../slow")).toBe(2);
  });

  it("row 31: a run that a signal ended exits with 128+n and runs again", async () => {
    expect((await project.cuenv(["task", "signalled"])).code).toBe(137);
    expect((await project.cuenv(["task", "signalled"])).code).toBe(137);
    expect(project.count("../signalled")).toBe(2);
  });

  it("row 31: a run whose input it changed itself is not stored, and says which", async () => {
    const run = await runJson(project, ["self"]);
    expect(run.code).toBe(0);
    expect(run.tasks["self"]?.cache).toMatchObject({ status: "miss", stored: false });
    expect(run.stderr).toMatch(/warning: self is not stored: its input self\.in changed/);
    expect(await statusOf(project, "self")).toBe("miss");
  });

  it("row 31: a file that came to match its inputs during the run is a change", async () => {
    const run = await runJson(project, ["adds"]);
    expect(run.tasks["adds"]?.cache.stored).toBe(false);
    expect(run.stderr).toMatch(/warning: adds is not stored: its input watched\/\d+\.txt changed/);
  });

  it("row 31: an input that somebody else changed during the run is a change", async () => {
    const own = createSandbox({
      "in.txt": "1\n",
      "env.cue": cue({
        tasks: {
          t: {
            command: "touch ../started; until [ -e ../go ]; do sleep 0.02; done; cat in.txt",
            inputs: ["in.txt"],
          },
        },
      }),
    });
    const running = runJson(own, ["t"]);
    await vi.waitFor(() => expect(own.exists("../started")).toBe(true), { timeout: 30_000 });
    own.write("in.txt", "2\n");
    own.write("../go", "");
    expect((await running).tasks["t"]?.cache.stored).toBe(false);
    expect(await statusOf(own, "t")).toBe("miss");
    expect(await statusOf(own, "t")).toBe("hit");
    own.write("in.txt", "1\n");
    expect(await statusOf(own, "t")).toBe("miss");
  });

  it("row 31: a run during which an input was another one, and then what it had been, is not stored", async () => {
    const own = createSandbox({
      "in.txt": "1\n",
      "env.cue": cue({
        tasks: {
          t: {
            command:
              "touch ../started; until [ -e ../go ]; do sleep 0.02; done; cat in.txt > out; touch ../read; until [ -e ../end ]; do sleep 0.02; done",
            inputs: ["in.txt"],
            outputs: ["out"],
          },
        },
      }),
    });
    const isThere = (file: string): Promise<void> =>
      vi.waitFor(() => expect(own.exists(file)).toBe(true), { timeout: 30_000 });
    const running = own.cuenv(["task", "t"]);
    await isThere("../started");
    own.write("in.txt", "2\n");
    own.write("../go", "");
    await isThere("../read");
    own.write("in.txt", "1\n");
    own.write("../end", "");
    expect((await running).stderr).toContain("its input in.txt was written while it ran");
    expect(own.read("out")).toBe("2\n");
    expect(await statusOf(own, "t")).toBe("miss");
    expect(own.read("out")).toBe("1\n");
    expect(await statusOf(own, "t")).toBe("hit");
  });

  it("row 31: a task that writes the same bytes into its own input every time is stored from its second run on", async () => {
    const own = createSandbox({
      "in.txt": "1\n",
      "env.cue": cue({
        tasks: { t: { ...counting("t", "echo 1 > in.txt"), inputs: ["in.txt"] } },
      }),
    });
    const first = await own.cuenv(["task", "t"]);
    expect(first.stderr).toContain("its input in.txt was written while it ran");
    for (const status of ["miss", "hit"]) expect(await statusOf(own, "t")).toBe(status);
    expect(own.count("../t")).toBe(2);
  });

  it.each([
    ["fifo", "pipe"],
    ["leaves", "out-link"],
  ])(
    "row 31: the output of task %s cannot be one: a message, and nothing stored",
    async (task, output) => {
      for (let time = 1; time <= 2; time += 1) {
        const run = await runJson(project, [task]);
        expect(run.code, run.stderr).toBe(0);
        expect(run.tasks[task]?.cache).toMatchObject({ status: "miss", stored: false });
        expect(run.stderr.match(/^warning: /gm)).toHaveLength(1);
        expect(run.stderr).toMatch(output);
        project.remove(output);
      }
    },
  );

  it("row 31: a declared output that was not made is one warning, and the result is stored without it", async () => {
    const run = await runJson(project, ["unmade"]);
    expect(run.tasks["unmade"]?.cache.stored).toBe(true);
    expect(run.stderr.match(/^warning: .*never\/made/gm)).toHaveLength(1);
    expect(await statusOf(project, "unmade")).toBe("hit");
  });

  it("row 31: a run that leaves a process behind with its output is not waited for, nor stored, and says so", async () => {
    for (let time = 1; time <= 2; time += 1) {
      const run = await project.cuenv(["task", "left"]);
      expect(run).toMatchObject({ code: 0, stdout: "done\n" });
      expect(run.stderr.match(/^warning: left is not stored: /gm)).toHaveLength(1);
      expect(project.count("../left")).toBe(time);
    }
  });

  it("row 31: a command that does not exist exits with 127, names it, and is not stored", async () => {
    for (let time = 0; time < 2; time += 1) {
      const run = await project.cuenv(["task", "missing"]);
      expect(run).toMatchObject({ code: 127, stdout: "" });
      expect(run.stderr).toMatch(/error: .*no-such-program-here/);
    }
  });
});

describe.concurrent("secrets", () => {
  const canary = "c4n4ry-v4lue-9";
  const secret = { resolver: { command: "sh", args: ["-c", "cat ../secret"] } };
  const files = {
    "../secret": `${canary}\n`,
    "env.cue": cue({
      env: { API_TOKEN: secret },
      tasks: {
        prints: {
          command: "echo token=$API_TOKEN; echo $API_TOKEN >&2; echo 1 > p.out",
          outputs: ["p.out"],
          inputs: [],
        },
        writes: { command: "echo $API_TOKEN > w.out", outputs: ["w.out"], inputs: [] },
        counts: { ...counting("counts", "echo ${#API_TOKEN}"), inputs: [] },
        fails: {
          command: "true",
          env: { OTHER: { resolver: { command: "sh", args: ["-c", "exit 9"] } } },
        },
      },
    }),
  };
  const secretive = createSandbox(files);
  beforeAll(() => secretive.cuenv(["task"]));

  async function grepFor(text: string, ...folders: string[]): Promise<string> {
    const { execFileSync } = await import("node:child_process");
    try {
      return execFileSync("grep", ["-rlaF", text, ...folders], { encoding: "utf8" });
    } catch {
      return "";
    }
  }

  it("row 12: a secret's value is masked in what is shown and in what is replayed, and is nowhere in the cache", async () => {
    for (const status of ["miss", "hit"]) {
      const run = await secretive.cuenv(["task", "prints"]);
      expect(run.code, run.stderr).toBe(0);
      expect(run.stderr).toMatch(new RegExp(`prints: ${status}`));
      expect(run.stdout).toMatch(/^token=.+\n$/);
      expect(run.stdout + run.stderr).not.toContain(canary);
    }
    await secretive.cuenv(["task", "writes"]);
    expect(await grepFor(canary, secretive.cacheDir, secretive.home)).toBe("");
  });

  it("row 12: an output that contains a secret's value is not stored, with a warning", async () => {
    for (let time = 0; time < 2; time += 1) {
      const run = await runJson(secretive, ["writes"]);
      expect(run.code).toBe(0);
      expect(run.tasks["writes"]?.cache).toMatchObject({ status: "miss", stored: false });
      expect(run.stderr).toMatch(/warning: writes is not stored: .*w\.out.*API_TOKEN/);
    }
    expect(secretive.read("w.out")).toBe(`${canary}\n`);
  });

  it("row 12: another value of a secret is a miss, the same one a hit", async () => {
    const own = createSandbox(files);
    expect(await statusOf(own, "counts")).toBe("miss");
    expect(await statusOf(own, "counts")).toBe("hit");
    own.write("../secret", "another-value-5\n");
    expect(await statusOf(own, "counts")).toBe("miss");
    own.write("../secret", `${canary}\n`);
    expect(await statusOf(own, "counts")).toBe("hit");
  });

  it("row 12: a resolver that fails ends the task with an error that names the variable", async () => {
    const run = await secretive.cuenv(["task", "fails"]);
    expect(run).toMatchObject({ code: 3, stdout: "" });
    expect(run.stderr).toMatch(/OTHER.*9/);
  });

  it("names the task that a resolver kept from starting, where several run", async () => {
    const run = await secretive.cuenv(["task", "fails", "counts"]);
    expect(run.code).toBe(3);
    expect(run.stderr).toMatch(/OTHER.*9.*\nhint: .*\ncuenv fails: could not be started\n/);
  });
});
