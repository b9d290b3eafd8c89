import type { Command } from "./command.ts";
import { directory, json, packageName } from "./common-flags.ts";

/** Setting up, and finding out what is wrong. */
export const houseCommands: readonly Command[] = [
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
      "code 0 when nothing is broken, 5 when something is. Nothing that is tried is left behind.",
    ],
    examples: [
      ["cuenv doctor", "what is wrong here?"],
      ["cuenv doctor --json", "for scripts and bug reports"],
    ],
    load: async () => (await import("../commands/doctor.ts")).runDoctor,
  },
];
