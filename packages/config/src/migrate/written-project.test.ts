import { describe, expect, it } from "vitest";
import { writtenProject } from "./written-project.ts";

describe("writtenProject", () => {
  it("names the project, and what stands below tasks, however it is written", () => {
    const text = `package cuenv
name: "shop"
tasks: build: command: 3
tasks: {
  "test:unit": {command: "x", name: "y"}
  _hidden: {}
  build: outputs: ["dist"]
  steps: [{command: "y"}]
}
other: not: "a task"
`;
    const tasks = ["build", "test:unit", "steps"];
    expect(writtenProject(text)).toEqual({ name: "shop", tasks });
  });

  it.each([
    ["a bracket that is not closed at the end", "}\n\nother:", "\nother:"],
    ["a bracket that is not closed in the middle", "lint: {\n    // }", "lint: {{\n    // }"],
    ["a bracket that is closed twice", "}\n\nother:", "}}\n\nother:"],
    ["a string without an end", 'command: "a"', 'command: "a'],
  ])("has the names in spite of %s", (_, sound, broken) => {
    const text = `package cuenv
name: "shop"
config: {
  build: "none"
}
tasks: {
  // build: {}
  "test:unit": {
    command: "a"
  }

  lint: {
    // }
    inputs: ["a"]
  }
  _hidden: {command: "b"}
  all: type: "group"
}

other: {
  not: "a task"
}
tasks: deploy: {
  command: "c"
}
`;
    const whole = { name: "shop", tasks: ["test:unit", "lint", "all", "deploy"] };
    expect(writtenProject(text)).toEqual(whole);
    expect(text).toContain(sound);
    expect(writtenProject(text.replace(sound, broken))).toEqual(whole);
  });

  it("has the names of one line that is not closed", () => {
    expect(writtenProject("tasks: {build: {").tasks).toEqual(["build"]);
    expect(writtenProject('tasks: "a b": {').tasks).toEqual(["a b"]);
  });

  it("finds none where there are none", () => {
    const none = { name: undefined, tasks: [] };
    for (const text of ["", "tasks: [1]", "tasks: [", 'name: "a\\(b)"', "name: 1\n{", "{{{\n}:"])
      expect(writtenProject(text)).toEqual(none);
  });
});
