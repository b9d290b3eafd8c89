import { counting, createSandbox, cue, type RunOptions, type Sandbox } from "./sandbox.ts";

export type Fields = Readonly<Record<string, unknown>>;

export const secret = { resolver: { command: "cat", args: ["../secret"] } };
export const makeGen =
  "mkdir -p gen && cat src/* > gen/all.txt && wc -c < gen/all.txt > gen/size.txt";

export const tasks: Readonly<Record<string, Fields>> = {
  gen: {
    ...counting("gen", makeGen),
    inputs: ["src/**"],
    outputs: ["gen"],
  },
  lint: { ...counting("lint"), inputs: ["lint/**"] },
  test: {
    ...counting("test", "cat gen/* test/*.txt > report.txt"),
    inputs: ["test/**"],
    outputs: ["report.txt"],
    dependencies: ["gen", "lint"],
    env: { LEVEL: "1", TOKEN: secret },
    timeout: "60s",
    cacheConfig: {
      envInclude: ["CI_*", "REGION"],
      extraInputs: ["data.json"],
      ignoreInputs: ["test/*.md"],
      runtime: ["./tool"],
      customKeyComponents: { flavour: "plain", level: 2 },
    },
  },
  argv: { command: "echo", args: ["one", "two"], inputs: ["test/one.txt"] },
  line: { command: 'echo "$MODE"', inputs: ["test/one.txt"] },
  script: { script: "echo first\necho second\necho third", inputs: ["test/one.txt"] },
  keyed: { command: "echo", args: ["keyed"], cacheKey: "v1", outputs: ["keyed.txt"] },
  greet: {
    command: "echo",
    args: ["hello", "{{who}}"],
    params: { who: { default: "world" } },
    inputs: [],
  },
  all: { command: "true", cache: true },
};

export function config(changes: Readonly<Record<string, Fields>> = {}, top: Fields = {}): string {
  const changed = Object.fromEntries(
    Object.entries(changes).map(([name, fields]) => [name, { ...tasks[name], ...fields }]),
  );
  const env = { MODE: "dev", environment: { production: { MODE: "prod" } } };
  return cue({ env, tasks: { ...tasks, ...changed }, ...top });
}

export const project = createSandbox(
  {
    "env.cue": config(),
    "../secret": "c4n4ry-one\n",
    ".gitignore": "ignored/\n",
    "src/a.txt": "a\n",
    "src/b.txt": "b\n",
    "lint/rules.json": "{}\n",
    "test/one.txt": "1\n",
    "test/two.txt": "2\n",
    "test/notes.md": "not an input\n",
    "data.json": "{}\n",
    tool: "#!/bin/sh\necho v1.0.0\n",
    "global-tool": "#!/bin/sh\necho g1\n",
    "packages/lib/x.txt": "x\n",
  },
  { name: "app" },
);
export const kept = `${project.root}-kept`;
export const before: RunOptions = { env: { CI_JOB: "7", REGION: "eu" } };

export interface Changed {
  /** Instead of test. */
  readonly task?: string;
  /** Besides the task's name. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** What is changed, the kind of the first cause, the whole first line, and the change. */
export type Mutation = readonly [
  what: string,
  kind: string,
  line: string | RegExp,
  change: (sandbox: Sandbox) => Changed | Promise<Changed> | void,
];

export const task =
  (name: string, fields: Fields) =>
  (sandbox: Sandbox): Changed => {
    sandbox.write("env.cue", config({ [name]: fields }));
    return { task: name };
  };
export const cacheConfig = (fields: Fields) =>
  task("test", { cacheConfig: { ...(tasks["test"]?.["cacheConfig"] as Fields), ...fields } });
export const settings = (fields: Fields) => (sandbox: Sandbox) =>
  sandbox.write("env.cue", config({}, { config: { cache: fields } }));
export const given = (changed: Changed) => (): Changed => changed;
export const environment = (env: NonNullable<Changed["env"]>) => given({ env });
export const writes = (path: string, text: string) => (sandbox: Sandbox) =>
  sandbox.write(path, text);
