import { CuenvError } from "@cuenv/errors";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commandTask, groupTask, projectOf, sequenceTask } from "../test/project.ts";
import { type Plan, type PlanOptions, planRun } from "./index.ts";

const project = projectOf(
  commandTask("build"),
  commandTask("build:css"),
  commandTask("build:js", { dependencies: ["build:css"] }),
  commandTask("test", { dependencies: ["build:js", "build"] }),
  commandTask("lint"),
  groupTask("check", ["check.types", "lint"], { dependencies: ["build"] }),
  commandTask("check.types", { dependencies: ["build"] }),
  sequenceTask("release", ["release[0]", "check", "release[2]"]),
  commandTask("release[0]"),
  commandTask("release[2]", { dependencies: ["check"] }),
);

function names(plan: Plan): string[] {
  return plan.nodes.map((node) => node.name);
}

function errorOf(options: PlanOptions, of = project): CuenvError {
  try {
    planRun(of, options);
  } catch (error) {
    if (error instanceof CuenvError) return error;
    throw error;
  }
  throw new Error("planRun accepted it");
}

describe("planRun: names", () => {
  it("takes a task with what it depends on, dependencies first, in the order written", () => {
    expect(names(planRun(project, { names: ["test"] }))).toEqual([
      "build:css",
      "build:js",
      "build",
      "test",
    ]);
  });

  it("takes the named tasks alone without dependencies, and still says what they depend on", () => {
    const plan = planRun(project, { names: ["test"], withDependencies: false });
    expect(names(plan)).toEqual(["test"]);
    expect(plan.nodes[0]?.dependencies).toEqual(["build:js", "build"]);
  });

  it("expands patterns, in the project's order, each task once", () => {
    expect(names(planRun(project, { names: ["build:*", "*:js"] }))).toEqual([
      "build:css",
      "build:js",
    ]);
    expect(names(planRun(project, { names: ["l*t", "b*d"] }))).toEqual(["lint", "build"]);
  });

  it("takes a name literally before it takes it as a pattern", () => {
    const star = projectOf(commandTask("a*"), commandTask("ab"));
    expect(names(planRun(star, { names: ["a*"] }))).toEqual(["a*"]);
  });

  it("matches patterns in time linear in their length", () => {
    const long = projectOf(commandTask("a".repeat(200)));
    const error = errorOf({ names: [`${"*a".repeat(60)}*b`] }, long);
    expect(error.code).toBe("RUN_TASK_NOT_FOUND");
  });

  it("answers an unknown name with the near one and the list, as wrong usage", () => {
    const error = errorOf({ names: ["biuld"] });
    expect(error.code).toBe("RUN_TASK_NOT_FOUND");
    expect(error.exitCode).toBe(2);
    expect(error.message).toContain('"biuld"');
    expect(error.hint).toContain('did you mean "build"?');
    expect(error.hint).toContain("lint");
  });

  it("answers a pattern that matches nothing, and names that objects inherit", () => {
    expect(errorOf({ names: ["deploy:*"] }).message).toContain("no task matches");
    expect(errorOf({ names: ["constructor"] }).code).toBe("RUN_TASK_NOT_FOUND");
  });
});

describe("planRun: arguments", () => {
  it("gives arguments to the named tasks only", () => {
    const plan = planRun(project, { names: ["test", "lint"], args: ["--watch"] });
    expect(plan.nodes.filter((node) => node.args.length > 0).map((node) => node.name)).toEqual([
      "test",
      "lint",
    ]);
    expect(plan.nodes.filter((node) => node.named).map((node) => node.name)).toEqual([
      "test",
      "lint",
    ]);
  });

  it("refuses arguments for a group, and names its members", () => {
    const error = errorOf({ names: ["check"], args: ["-v"] });
    expect(error.code).toBe("RUN_ARGUMENTS");
    expect(error.hint).toContain("check.types, lint");
  });
});

describe("planRun: groups and sequences", () => {
  it("puts what a group depends on before all of its members, also those that are other tasks by reference", () => {
    const plan = planRun(project, { names: ["check"] });
    expect(names(plan)).toEqual(["build", "check.types", "lint"]);
    const lint = plan.nodes.find((node) => node.name === "lint");
    expect(lint?.dependencies).toEqual([]);
    expect(lint?.after).toEqual(["build"]);
  });

  it("keeps order that only the run imposes out of what enters keys", () => {
    const alone = planRun(project, { names: ["lint"] }).nodes[0];
    const inGroup = planRun(project, { names: ["check"] }).nodes.find(
      (node) => node.name === "lint",
    );
    expect(inGroup?.dependencies).toEqual(alone?.dependencies);
  });

  it("orders the members of a sequence, whole groups among them", () => {
    const plan = planRun(project, { names: ["release"] });
    const order = names(plan);
    expect(order.indexOf("release[0]")).toBeLessThan(order.indexOf("check.types"));
    const last = plan.nodes.at(-1);
    expect(last?.name).toBe("release[2]");
    expect(last?.dependencies).toEqual(["check.types", "lint"]);
    expect(plan.nodes.find((node) => node.name === "check.types")?.after).toEqual(["release[0]"]);
  });

  it("makes a dependency on a group a dependency on all its members", () => {
    const of = projectOf(
      groupTask("g", ["g.a", "g.b"]),
      commandTask("g.a"),
      commandTask("g.b"),
      commandTask("c", { dependencies: ["g"] }),
    );
    expect(planRun(of, { names: ["c"] }).nodes.at(-1)?.dependencies).toEqual(["g.a", "g.b"]);
  });

  it("lets a sequence name a task after one that depends on it", () => {
    const of = projectOf(
      commandTask("build"),
      commandTask("test", { dependencies: ["build"] }),
      commandTask("pack"),
      sequenceTask("ci", ["test", "build", "pack"]),
    );
    const plan = planRun(of, { names: ["ci"] });
    expect(names(plan)).toEqual(["build", "test", "pack"]);
    expect(plan.nodes.at(-1)?.after).toEqual(["test", "build"]);
  });

  it("bounds the members of a group that says maxConcurrency", () => {
    const of = projectOf(groupTask("g", ["g.a"], { maxConcurrency: 2 }), commandTask("g.a"));
    const plan = planRun(of, { names: ["g"] });
    expect(plan.limits.get("g")).toBe(2);
    expect(plan.nodes[0]?.limitedBy).toEqual(["g"]);
  });
});

describe("planRun: what cannot run", () => {
  it("names the circle", () => {
    const of = projectOf(
      commandTask("a", { dependencies: ["g"] }),
      groupTask("g", ["b"]),
      commandTask("b", { dependencies: ["a"] }),
    );
    const error = errorOf({ names: ["a"] }, of);
    expect(error.code).toBe("CONFIG_CYCLE");
    expect(error.message).toContain("a → g → b → a");
  });

  it("refuses a plan with a task that the configuration refuses, before anything runs", () => {
    const action = {
      kind: "refused",
      message: 'cannot run "a": it asks for a container',
      hint: "leave it out",
    } as const;
    const of = projectOf(commandTask("a", { action }), commandTask("b", { dependencies: ["a"] }));
    const error = errorOf({ names: ["b"] }, of);
    expect(error.code).toBe("CONFIG_REFUSED");
    expect(error.hint).toBe("leave it out");
  });
});

describe("planRun: properties", () => {
  /** Tasks t0…; each depends on some before it, so that there is no circle; groups and sequences over any of them. */
  const projects = fc
    .array(
      fc.tuple(
        fc.array(fc.nat(30), { maxLength: 4 }),
        fc.constantFrom("command", "group", "sequence"),
      ),
      { minLength: 1, maxLength: 30 },
    )
    .map((shapes) =>
      projectOf(
        ...shapes.map(([picks, kind], index) => {
          const others = index === 0 ? [] : [...new Set(picks.map((pick) => `t${pick % index}`))];
          if (kind === "group") return groupTask(`t${index}`, others);
          if (kind === "sequence") return sequenceTask(`t${index}`, others);
          return commandTask(`t${index}`, { dependencies: others });
        }),
      ),
    );

  it("puts every task after all that it waits for, once, and gives equal plans for equal questions", () => {
    fc.assert(
      fc.property(projects, fc.array(fc.nat(30), { minLength: 1, maxLength: 3 }), (of, picks) => {
        const all = Object.keys(of.tasks);
        const asked = picks.map((pick) => all[pick % all.length] ?? "t0");
        const plan = planRun(of, { names: asked });
        const seen = new Set<string>();
        for (const node of plan.nodes) {
          expect(seen.has(node.name)).toBe(false);
          for (const name of [...node.dependencies, ...node.after]) expect(seen).toContain(name);
          seen.add(node.name);
        }
        expect(planRun(of, { names: asked })).toEqual(plan);
      }),
    );
  });
});
