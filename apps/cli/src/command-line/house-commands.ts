import type { Command } from "./command.ts";
import { directory, environment, json, packageName } from "./common-flags.ts";

/** Setting up, and finding out what is wrong. */
export const houseCommands: readonly Command[] = [
  {
    name: "init",
    aliases: [],
    summary: "Write an env.cue from package.json, turbo.json or nx.json",
    usage: "cuenv init [flags]",
    takesNames: false,
    flags: {
      directory,
      from: {
        type: "string",
        value: "WHAT",
        choices: ["scripts", "turbo", "nx"],
        summary: "scripts, turbo or nx; default: the tool that the workspace has",
      },
      json,
      print: { type: "boolean", summary: "Print it, and write nothing" },
    },
    about: [
      "Of the package in the current folder: its scripts as tasks, with what turbo.json or nx.json say",
      "of their inputs, outputs, variables and order. What could not be translated is told, and stands",
      "in the file as a comment. An env.cue that is there is never written over.",
    ],
    examples: [
      ["cuenv init", "write env.cue, and say what to look at"],
      ["cuenv init --print", "only show what would be written"],
    ],
    load: async () => (await import("../commands/init.ts")).runInit,
  },
  {
    name: "doctor",
    aliases: [],
    summary: "Check the machine, the cache folder and the configuration, and say what to do",
    usage: "cuenv doctor [flags]",
    takesNames: false,
    flags: { directory, json, package: packageName },
    about: [
      "Node, the configuration and its warnings, the cache folder (owner, modes, free space, what its",
      "file system does, its clock), trust and keys, and whether the remote cache can be reached. Exit",
      "code 0 when nothing is broken, 6 when something is. Nothing that is tried is left behind.",
    ],
    examples: [
      ["cuenv doctor", "what is wrong here?"],
      ["cuenv doctor --json", "for scripts and bug reports"],
    ],
    load: async () => (await import("../commands/doctor.ts")).runDoctor,
  },
  {
    name: "inspect",
    aliases: [],
    summary: "The tasks of one or many projects as they are after evaluation, for other tools",
    usage: "cuenv inspect [DIR…] [flags]",
    takesNames: true,
    flags: {
      directory,
      env: environment,
      "env-if-known": {
        type: "boolean",
        summary: "A project without the environment is shown as it is without one",
      },
      json,
      package: packageName,
    },
    about: [
      "Each DIR is the folder of an env.cue; - stands for a list of them on stdin, a line each (or",
      "separated by NUL). Nothing is run, and what was evaluated before is remembered, so that a",
      "thousand projects are one process and about a millisecond each. --json gives inputs, outputs,",
      "dependencies, variables, tools, parameters and the cache mode of each task, what was read for it,",
      "and what is wrong with a project, with file, line and column. One that is wrong is no error then.",
    ],
    examples: [
      ["cuenv inspect", "the tasks of this project"],
      [
        "find . -name env.cue -printf '%h\\n' | cuenv inspect - --json",
        "all projects, in one document",
      ],
    ],
    load: async () => (await import("../commands/inspect.ts")).runInspect,
  },
  {
    name: "completions",
    aliases: [],
    summary: "Print what makes a shell complete commands, flags and task names",
    usage: "cuenv completions SHELL",
    takesNames: true,
    flags: { json },
    about: [
      "SHELL is bash, zsh or fish. The shell asks cuenv while you type, so that the completions are",
      "those of the project that you are in, and of the cuenv that you have. Put into",
      '  bash  ~/.bashrc:                          eval "$(cuenv completions bash)"',
      '  zsh   ~/.zshrc, after compinit:           eval "$(cuenv completions zsh)"',
      "  fish  ~/.config/fish/completions/cuenv.fish:  cuenv completions fish",
    ],
    examples: [["cuenv completions bash >> ~/.bash_completion", "for all shells to come"]],
    load: async () => (await import("../commands/completions.ts")).runCompletions,
  },
  {
    name: "__complete",
    aliases: [],
    hidden: true,
    summary: "What could stand in the place of the last word: for the scripts of completions",
    usage: "cuenv __complete -- WORD…",
    takesNames: true,
    flags: {},
    examples: [["cuenv __complete -- task b", "the tasks that begin with b"]],
    load: async () => (await import("../commands/complete.ts")).runComplete,
  },
];
