import type { Command } from "./command.ts";
import { directory, environment, json, packageName } from "./common-flags.ts";

/** Apart from the other commands, because it is the one whose start is timed. */
export const taskCommand: Command = {
  name: "task",
  aliases: ["run", "t"],
  summary: "Run tasks of env.cue through the cache; without a name, list them",
  usage: "cuenv task [TASK…] [flags] [-- ARGS…]",
  takesNames: true,
  flags: {
    cache: {
      type: "string",
      value: "MODE",
      choices: ["off", "read", "read-write", "write"],
      summary: "off, read, read-write or write (also CUENV_CACHE)",
    },
    "continue-on-error": {
      type: "boolean",
      summary: "Go on with tasks that do not depend on a failed one",
    },
    directory,
    download: {
      type: "string",
      value: "WHAT",
      choices: ["all", "toplevel", "none"],
      summary:
        "Outputs fetched from the remote cache: all, toplevel (of the named tasks) or none; what a task that runs needs is fetched before",
    },
    "dry-run": {
      type: "boolean",
      summary: "Run nothing: say what would run, what would be a hit, and why",
    },
    env: environment,
    force: { type: "boolean", short: "f", summary: "Run the tasks even if a result is stored" },
    jobs: {
      type: "string",
      short: "j",
      value: "N",
      summary: "How many tasks run at once (processors + 1)",
    },
    json,
    only: {
      type: "boolean",
      summary: "Without what the tasks depend on: that ran before, and is taken as it is",
    },
    output: {
      type: "string",
      value: "MODE",
      choices: ["raw", "prefixed", "grouped"],
      summary: "raw, prefixed or grouped; default by what runs and where",
    },
    package: packageName,
    replay: {
      type: "string",
      value: "WHAT",
      choices: ["all", "toplevel", "none"],
      summary:
        "Whose hits print again what they printed: of all tasks, toplevel (of the named ones) or none",
    },
    "strict-signatures": {
      type: "boolean",
      summary: "Exit with 70 when a stored result was not trusted",
    },
    summary: {
      type: "string",
      value: "FILE",
      summary: "Write what --json prints to FILE, and leave stdout to the tasks",
    },
    trace: {
      type: "string",
      value: "FILE",
      summary: "Write what took how long to FILE, as a Chrome trace (Perfetto)",
    },
    uncached: {
      type: "boolean",
      summary: "Look nothing up and store nothing, else as cached: for tools that keep results",
    },
    verbose: { type: "boolean", short: "v", summary: "Say more: keys, why a task is not cached" },
    watch: {
      type: "boolean",
      short: "w",
      summary: "Run again whenever something changes that the tasks read; Ctrl-C ends it",
    },
  },
  examples: [
    ["cuenv task", "list the tasks"],
    ["cuenv task build", "run build and what it depends on"],
    ["cuenv task build --dry-run", "what a run would do now"],
    ["cuenv task build --trace trace.json", "what took how long: open it in ui.perfetto.dev"],
    ["cuenv task check --download=none", "in CI: fetch only what tasks that run need"],
    ["cuenv task check --replay=none", "show only what tasks print that run"],
    ["cuenv task 'test:*' --jobs 4", "run all tasks whose name begins with test:"],
    ["cuenv task test -- --watch=false", "give arguments to the task"],
    ["cuenv task test --watch", "run test again whenever its inputs change"],
  ],
  load: async () => (await import("../commands/task.ts")).runTaskCommand,
};
