import { expect, it } from "vitest";
import { command, project } from "../../test/inspected.ts";
import { inEnvironment } from "./in-environment.ts";

const production = { name: "production", definitions: {} };
const having = project([command("build")], {
  environment: "production",
  environments: [production],
});
const lacking = project([command("build")], { directory: "/ws/packages/lib" });

it("leaves projects without the environment as they are, where another has it", () => {
  const all = [having, lacking];
  expect(inEnvironment(all, "production")).toBe(all);
  expect(inEnvironment([lacking], undefined)).toEqual([lacking]);
});

it("takes an environment that no project has for a slip: all projects are wrong, with their tasks", () => {
  const broken = { ...lacking, error: { ...unknown(), code: "CUE_INVALID" } };
  const found = inEnvironment([{ ...having, environment: null }, lacking, broken], "prodution");
  expect(found[0]).toMatchObject({
    tasks: [],
    writtenTasks: ["build"],
    error: { code: "CONFIG_UNKNOWN_ENVIRONMENT", hint: "there are production" },
  });
  expect(found[1]).toMatchObject({ error: { code: "CONFIG_UNKNOWN_ENVIRONMENT" } });
  expect(found[2]).toBe(broken);
});

function unknown() {
  return { message: "", hint: null, file: null, line: null, column: null };
}
