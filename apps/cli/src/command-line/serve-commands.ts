import type { Command } from "./command.ts";
import { directory, json } from "./common-flags.ts";

/** The cache for others: a server, and Turborepo through it. */
export const serveCommands: readonly Command[] = [
  {
    name: "serve",
    aliases: [],
    summary: "Serve a cache folder to other machines and tools over HTTP",
    usage: "cuenv serve [--http ADDRESS] [--dir DIR] [flags]",
    takesNames: false,
    flags: {
      config: { type: "string", value: "FILE", summary: "Tokens and teams, as YAML or JSON" },
      dir: { type: "string", value: "DIR", summary: "The cache folder; default: yours" },
      directory,
      http: {
        type: "string",
        value: "ADDRESS",
        summary: "host:port, or port; default: 127.0.0.1:8484",
      },
      json,
      "max-size": { type: "string", value: "SIZE", summary: "Keep no more than this, like 50GiB" },
      verbose: { type: "boolean", short: "v", summary: "A line for every request" },
    },
    about: [
      "Speaks Turborepo's remote-cache protocol and Nx' self-hosted cache at the root, and those of Bazel,",
      "ccache, sccache, Gradle and pnpm below /bazel, /ccache …: it prints what each client is to be given.",
      "/healthz, /readyz and /metrics are beside them.",
      "Without a token it serves this machine only. One token for everything: CUENV_SERVER_TOKEN. More,",
      "each for its teams, to read or to write: --config, with entries of cuenv serve token.",
      "SIGTERM and Ctrl-C let running requests end (20 s).",
    ],
    examples: [
      [
        "cuenv serve",
        "for this machine: TURBO_API=http://127.0.0.1:8484 TURBO_TOKEN=any TURBO_TEAM=me",
      ],
      ["CUENV_SERVER_TOKEN=… cuenv serve --http 0.0.0.0:8484", "for a team"],
      ["cuenv serve --config server.yaml --dir /var/cache/cuenv --max-size 50GiB", "for several"],
    ],
    load: async () => (await import("../commands/serve.ts")).runServe,
  },
  {
    name: "serve token",
    aliases: [],
    summary: "Make a token for a server, and print its line of the configuration",
    usage: "cuenv serve token NAME [--namespaces A,B] [--scopes read,write] [flags]",
    takesNames: true,
    flags: {
      directory,
      json,
      namespaces: { type: "string", value: "A,B", summary: "The teams it is for; default: all" },
      scopes: { type: "string", value: "S,S", summary: "read, write, or both (the default)" },
    },
    examples: [
      ["cuenv serve token ci --namespaces acme", "for the builds of main"],
      ["cuenv serve token laptops --namespaces acme --scopes read", "who may only read"],
    ],
    load: async () => (await import("../commands/serve-token.ts")).runServeToken,
  },
  {
    name: "turbo why",
    aliases: [],
    summary: "What made the hash of a task of turbo another than in its last run",
    usage: "cuenv turbo why PACKAGE#TASK [flags]",
    takesNames: true,
    flags: { directory, json },
    about: [
      "Compares what turbo would do now (a dry run, offline) with the newest summary in .turbo/runs, which",
      "cuenv turbo has turbo write: files, variables, command, lockfile, dependencies, global inputs.",
    ],
    examples: [["cuenv turbo why web#build", "which input changed since the last run"]],
    load: async () => (await import("../commands/turbo-why.ts")).runTurboWhy,
  },
  {
    name: "turbo",
    aliases: [],
    summary: "Run turbo with this cache as its remote cache, without any set-up",
    usage: "cuenv turbo ARGS…",
    takesNames: true,
    passesThrough: true,
    flags: { directory },
    about: [
      "Starts a server on this machine for the time of the run, over the cache folder that cuenv uses",
      "here, and runs turbo with all arguments as they are; the exit code is turbo's. CUENV_CACHE=off,",
      "read, write or read-write says what turbo may do. A remote cache that is configured already",
      "(TURBO_API, turbo login) stays in place.",
    ],
    examples: [["cuenv turbo run build --filter=web", "as turbo run build --filter=web, cached"]],
    load: async () => (await import("../commands/turbo.ts")).runTurbo,
  },
];
