import type { Command } from "./command.ts";
import { directory, environment, json, packageName } from "./common-flags.ts";

/** The commands that ask of stored results whose they are, and whether they are right. */
export const trustCommands: readonly Command[] = [
  {
    name: "cache purge",
    aliases: [],
    summary: "Remove the results that a key signed",
    usage: "cuenv cache purge --key-id ID [flags]",
    takesNames: false,
    flags: {
      directory,
      json,
      "key-id": { type: "string", value: "ID", summary: "The key, as cuenv keys list shows it" },
      package: packageName,
    },
    examples: [["cuenv cache purge --key-id ed25519-0123…", "after the key was revoked"]],
    load: async () => (await import("../commands/cache-purge.ts")).runCachePurge,
  },
  {
    name: "cache attest",
    aliases: [],
    summary: "Print where a result came from: in-toto, SLSA provenance",
    usage: "cuenv cache attest KEY [flags]",
    takesNames: true,
    flags: {
      directory,
      json,
      package: packageName,
      sign: { type: "boolean", summary: "In a DSSE envelope, signed with this machine's key" },
    },
    examples: [["cuenv cache attest 0123abcd", "by the first digits of a key (cuenv task -v)"]],
    load: async () => (await import("../commands/cache-attest.ts")).runCacheAttest,
  },
  {
    name: "cache audit",
    aliases: [],
    summary: "Run some of what is stored again, and compare",
    usage: "cuenv cache audit --rebuild N% [TASK…] [flags]",
    takesNames: true,
    flags: {
      directory,
      env: environment,
      json,
      "outputs-only": {
        type: "boolean",
        summary: "Do not compare what the tasks print, how long they took for one",
      },
      package: packageName,
      rebuild: { type: "string", value: "N%", summary: "How many of the tasks, at random" },
    },
    examples: [["cuenv cache audit --rebuild 100%", "every task that has a result"]],
    load: async () => (await import("../commands/cache-audit.ts")).runCacheAudit,
  },
];
