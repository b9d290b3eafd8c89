import type { Command } from "./command.ts";
import { json } from "./common-flags.ts";

/** The commands of keys: whom to trust is the user's, so none of them evaluates env.cue. */
export const keyCommands: readonly Command[] = [
  {
    name: "keys generate",
    aliases: [],
    summary: "Make a key for signing: in FILE for CI, else this machine's",
    usage: "cuenv keys generate [FILE] [flags]",
    takesNames: true,
    flags: { json },
    examples: [["cuenv keys generate ci.key > ci.pub", "a key for CI, and its public half"]],
    load: async () => (await import("../commands/keys-generate.ts")).runKeysGenerate,
  },
  {
    name: "keys list",
    aliases: [],
    summary: "Whom this machine trusts, and what it signs with",
    usage: "cuenv keys list [flags]",
    takesNames: false,
    flags: { json },
    examples: [["cuenv keys list --json", "for scripts"]],
    load: async () => (await import("../commands/keys-list.ts")).runKeysList,
  },
  {
    name: "keys export",
    aliases: [],
    summary: "Print the public half of this machine's key, or of a key file",
    usage: "cuenv keys export [FILE] [flags]",
    takesNames: true,
    flags: { json },
    examples: [["cuenv keys export > ann.pub", "for those who want to use what Ann built"]],
    load: async () => (await import("../commands/keys-export.ts")).runKeysExport,
  },
  {
    name: "keys trust",
    aliases: [],
    summary: "Use results that were signed with the public keys in FILE",
    usage: "cuenv keys trust FILE [flags]",
    takesNames: true,
    flags: {
      json,
      name: { type: "string", value: "NAME", summary: "What to call it in lists" },
      namespace: {
        type: "string",
        value: "NAME,…",
        summary: "The namespaces it may sign for, * for all; default: default",
      },
      "not-after": { type: "string", value: "DATE", summary: "Not trusted from then on" },
      role: { type: "string", value: "ROLE,…", summary: "ci-main, ci or developer (the default)" },
    },
    examples: [["cuenv keys trust ci.pub --role ci-main --name ci", "use what CI built"]],
    load: async () => (await import("../commands/keys-trust.ts")).runKeysTrust,
  },
  {
    name: "keys revoke",
    aliases: [],
    summary: "Use nothing any more that a key signed",
    usage: "cuenv keys revoke KEY-ID [flags]",
    takesNames: true,
    flags: {
      json,
      since: {
        type: "string",
        value: "TIME",
        summary: "Only what says to be from then on",
      },
    },
    examples: [["cuenv keys revoke ed25519-0123…", "all its results are misses at once"]],
    load: async () => (await import("../commands/keys-revoke.ts")).runKeysRevoke,
  },
  {
    name: "keys rotate",
    aliases: [],
    summary: "Replace this machine's key; trust the old one for a while",
    usage: "cuenv keys rotate [flags]",
    takesNames: false,
    flags: {
      json,
      keep: {
        type: "string",
        value: "AGE",
        summary: "How long: 30d by default, 0s for not at all",
      },
    },
    examples: [["cuenv keys rotate --keep 0s", "after somebody else may have had it"]],
    load: async () => (await import("../commands/keys-rotate.ts")).runKeysRotate,
  },
];
