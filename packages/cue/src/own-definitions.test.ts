import { describe, expect, it } from "vitest";
import { errorOf, projectsForTests } from "../test/projects.ts";
import { evaluate } from "./index.ts";

const projects = projectsForTests();
const evaluated = async (text: string) =>
  (await evaluate({ directory: projects.make({ "env.cue": text }) })).evaluation;

describe("definitions of a user's own", () => {
  it("hold for tasks that others refer to, though they know nothing of outputs", async () => {
    const { value, references } = await evaluated(`package cuenv
#Task: {command: string, args?: [...], outputs: [...string]}
#Script: {script: string} | {command: string, env?: {[string]: _}}
#Checks: {lint: #Task, unit: {command: string, outputs: []}}
tasks: {
	version: #Task & {command: "git", args: ["describe"], outputs: []}
	other: #Script & {command: "true", env: V: version.stdout}
	checks: #Checks & {lint: {command: "l", outputs: []}, unit: {command: "u", outputs: []}}
	closed: close({command: string}) & {command: "c"}
	build: #Task & {
		command: "make"
		args: [version.stdout, other.exitCode, checks.unit.stderr, closed.stdout]
		outputs: ["dist"]
	}
}
`);
    expect(references).toMatchObject({
      "/tasks/build/args/0": "/tasks/version/stdout",
      "/tasks/build/args/1": "/tasks/other/exitCode",
      "/tasks/build/args/2": "/tasks/checks/unit/stderr",
      "/tasks/build/args/3": "/tasks/closed/stdout",
      "/tasks/other/env/V": "/tasks/version/stdout",
    });
    expect(value).toMatchObject({ tasks: { version: { command: "git", outputs: [] } } });
    expect(Object.keys((value as { tasks: { closed: object } }).tasks.closed)).toEqual(["command"]);
  });

  it("mean what they did otherwise: names, fields that are counted, and braces around a number", async () => {
    const { value } = await evaluated(`package cuenv
import "encoding/json"
stdout: "outer"
#Task: {command: string, args?: [...], said: [stdout], _text: json.Marshal({a: 1})}
#Number: {5}
#Names: {[string]: string}
let told = #Names & {stdout: "n"}
tasks: {
	a: {command: "a"}
	b: {command: "b", args: [a.stdout]}
}
t: #Task & {command: "c"}
fields: [for name, _ in t {name}]
number: #Number
names: told
`);
    expect(value).toMatchObject({
      t: { command: "c", said: ["outer"] },
      fields: ["command", "said"],
      number: 5,
      names: { stdout: "n" },
    });
  });

  it("refuse what they do not have, and only that", async () => {
    const directory = projects.make({
      "env.cue": `package cuenv
#Task: {command: string, args?: [...]}
tasks: {
	a: #Task & {command: "a"}
	b: #Task & {command: "b", args: [a.stdout], timeout: 5}
}
`,
    });
    const error = await errorOf(evaluate({ directory }));
    expect(error).toMatchObject({ location: { line: 5 }, others: [] });
    expect(error.message).toContain("tasks.b.timeout: field not allowed");
  });

  it("are told what to write where they allow strings alone", async () => {
    const directory = projects.make({
      "env.cue": `package cuenv
#Task: {command: string, args?: [...string]}
tasks: {
	a: #Task & {command: "a"}
	b: #Task & {command: "b", args: [a.stdout]}
}
`,
    });
    const error = await errorOf(evaluate({ directory }));
    expect(error.hint).toContain("`args: [...(string | {...})]`");
    const written = { "env.cue": 'package cuenv\ntasks: a: {command: "a", stdout: "x"}\n' };
    expect(await errorOf(evaluate({ directory: projects.make(written) }))).toMatchObject({
      message: 'cannot use tasks.a.stdout: it must be a struct, not "x"',
      hint: undefined,
    });
    const { references } = await evaluated(`package cuenv
#Task: {command: string, args?: [...(string | {...})]}
tasks: {
	a: #Task & {command: "a"}
	b: #Task & {command: "b", args: ["x", a.stdout]}
}
`);
    expect(references).toMatchObject({ "/tasks/b/args/1": "/tasks/a/stdout" });
  });
});
