import { chmodSync } from "node:fs";
import {
  cacheConfig,
  config,
  environment,
  given,
  type Mutation,
  secret,
  settings,
  task,
  writes,
} from "./why-project.ts";

/** Changes of variables, commands, declarations, tools, the machine and the configuration. */
export const otherMutations: readonly Mutation[] = [
  // Variables.
  [
    "a variable of the environment set",
    "variable",
    "variable CI_RUN added",
    environment({ CI_RUN: "1" }),
  ],
  [
    "a variable of the environment changed",
    "variable",
    "variable CI_JOB changed",
    environment({ CI_JOB: "8" }),
  ],
  [
    "a variable of the environment unset",
    "variable",
    "variable REGION removed",
    environment({ REGION: undefined }),
  ],
  ["a variable set to nothing", "variable", "variable REGION changed", environment({ REGION: "" })],
  [
    "a variable of the task",
    "variable",
    "variable LEVEL changed",
    task("test", { env: { LEVEL: "2", TOKEN: secret } }),
  ],
  [
    "a variable of the task added",
    "variable",
    "variable DEBUG added",
    task("test", { env: { LEVEL: "1", TOKEN: secret, DEBUG: true } }),
  ],
  [
    "a variable of the project",
    "variable",
    "variable MODE changed",
    (p) =>
      p.write("env.cue", config({}, { env: { MODE: "other", environment: { production: {} } } })),
  ],
  ["a secret", "variable", "variable TOKEN changed", writes("../secret", "c4n4ry-two\n")],
  [
    "the environment of -e",
    "variable",
    "variable MODE changed",
    given({ args: ["-e", "production"] }),
  ],
  [
    "the environment of CUENV_ENV",
    "variable",
    "variable MODE changed",
    environment({ CUENV_ENV: "production" }),
  ],
  [
    "a variable excluded",
    "variable",
    "variable REGION removed",
    cacheConfig({ envExclude: ["REGION"] }),
  ],
  [
    "the variables included",
    "variable",
    "variable CI_JOB removed",
    cacheConfig({ envInclude: ["REGION"] }),
  ],
  // The command.
  [
    "a command",
    "command",
    'command changed: echo "$MODE" → echo "$LEVEL"',
    task("line", { command: 'echo "$LEVEL"' }),
  ],
  ["a program", "command", "command changed: echo → printf", task("argv", { command: "printf" })],
  [
    "an argument",
    "argument",
    "argument 2 changed: two → three",
    task("argv", { args: ["one", "three"] }),
  ],
  [
    "an argument added",
    "argument",
    "argument added: three",
    task("argv", { args: ["one", "two", "three"] }),
  ],
  ["an argument removed", "argument", "argument removed: one", task("argv", { args: ["two"] })],
  [
    "arguments after -- of a program",
    "argument",
    "arguments added: --watch now",
    given({ task: "argv", args: ["--", "--watch", "now"] }),
  ],
  [
    "arguments after -- of a command line",
    "command",
    "command changed: arguments added at its end: --watch 'two words'",
    given({ args: ["--", "--watch", "two words"] }),
  ],
  [
    "arguments after -- of a script",
    "argument",
    "argument added: x",
    given({ task: "script", args: ["--", "x"] }),
  ],
  [
    "a parameter",
    "argument",
    "argument 2 changed: world → moon",
    given({ task: "greet", args: ["--", "--who", "moon"] }),
  ],
  [
    "a parameter's default",
    "argument",
    "argument 2 changed: world → sun",
    task("greet", { params: { who: { default: "sun" } } }),
  ],
  [
    "a line of a script",
    "command",
    "command changed: echo first echo second echo third → echo first echo 2nd echo third",
    task("script", { script: "echo first\necho 2nd\necho third" }),
  ],
  [
    "the shell",
    "command",
    "command changed: shell bash -c → sh -c",
    task("script", { scriptShell: "sh" }),
  ],
  [
    "the shell's options",
    "command",
    /^command changed: shell bash -c → bash -e/,
    task("script", { shellOptions: { errexit: true } }),
  ],
  [
    "the folder that it runs in",
    "workingDirectory",
    "working directory changed: . → packages",
    task("argv", { workingDir: "packages" }),
  ],
  // The rest of the declaration.
  [
    "an output declared",
    "outputs",
    "output more.txt added",
    task("test", { outputs: ["report.txt", "more.txt"] }),
  ],
  [
    "another output declared",
    "outputs",
    /^2 outputs changed: result\.txt, report\.txt/,
    task("test", { outputs: ["result.txt"] }),
  ],
  [
    "the timeout",
    "timeout",
    "timeout changed: 60000 ms → 90000 ms",
    task("test", { timeout: "90s" }),
  ],
  ["the timeout taken away", "timeout", "timeout removed", task("test", { timeout: undefined })],
  ["the cacheKey", "cacheKey", "cacheKey changed: v1 → v2", task("keyed", { cacheKey: "v2" })],
  ["a cacheKey set", "cacheKey", "cacheKey set", task("test", { cacheKey: "v1" })],
  [
    "a component of its own",
    "customComponent",
    "key component flavour changed",
    cacheConfig({ customKeyComponents: { flavour: "rich", level: 2 } }),
  ],
  [
    "a component taken away",
    "customComponent",
    "key component level removed",
    cacheConfig({ customKeyComponents: { flavour: "plain" } }),
  ],
  [
    "what it may see",
    "environmentMode",
    "envMode changed: strict → loose",
    cacheConfig({ envMode: "loose" }),
  ],
  ["the epoch of the task", "epoch", "key epoch changed: 0 → 5", cacheConfig({ keyEpoch: 5 })],
  // Tools and the machine.
  [
    "a tool",
    "tool",
    "./tool changed: v1.0.0 → v2.0.0",
    (p) => {
      p.write("tool", "#!/bin/sh\necho v2.0.0\n");
      chmodSync(p.path("tool"), 0o755);
    },
  ],
  ["a tool declared", "tool", "tool echo x added", cacheConfig({ runtime: ["./tool", "echo x"] })],
  ["a tool not declared any more", "tool", "tool ./tool removed", cacheConfig({ runtime: [] })],
  [
    "a tool for all tasks",
    "tool",
    "tool ./global-tool added",
    settings({ runtime: ["./global-tool"] }),
  ],
  [
    "the processor",
    "platform",
    /^platform changed: linux \S+ → linux riscv$/,
    environment({
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent("Object.defineProperty(process,'arch',{value:'riscv'})")}`,
    }),
  ],
  // Configuration.
  ["the epoch of all tasks", "epoch", "key epoch changed: 0 → 3", settings({ keyEpoch: 3 })],
  [
    "the namespace",
    "namespace",
    "namespace changed: default → team",
    settings({ namespace: "team" }),
  ],
  [
    "the digest function",
    "digestFunction",
    "digest function changed: sha256 → blake3",
    settings({ digestFunction: "blake3" }),
  ],
  [
    "the variables of all tasks",
    "variable",
    "variable REGION added",
    (p) => {
      p.write("env.cue", config({}, { config: { cache: { envInclude: ["REGION"] } } }));
      return { task: "argv" };
    },
  ],
  [
    "the variables of all tasks, in a file",
    "variable",
    "variable REGION added",
    (p) => {
      p.write("cuenv.cache.json", '{"envInclude": ["REGION"]}');
      return { task: "argv" };
    },
  ],
];
