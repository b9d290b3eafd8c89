/**
 * Exit codes of our own. A task's own exit code is passed through, and 128+n for a signal; these are used
 * only where no task's code is available, and never 0 or 1.
 */
export const exitCodes = {
  /** Wrong usage: an unknown flag, command or task on the command line. */
  usage: 2,
  /** The configuration cannot be read, evaluated or validated. */
  configuration: 3,
  /** `cuenv cache verify` found damage. */
  damage: 4,
  /** Our own failure: a bug, or a machine that does not give what is needed. */
  internal: 70,
  /** A task ran longer than its timeout (as timeout(1)). */
  timeout: 124,
  /** A task's command exists but cannot be executed (as a shell). */
  notExecutable: 126,
  /** A task's command was not found (as a shell). */
  notFound: 127,
} as const;

/**
 * Every error code of cuenv: the exit code of a command that ends with it, and what happened, in one sentence.
 * docs/errors.md has one row for each; a check holds the two together.
 */
export const errorTable = {
  USAGE: {
    exit: "usage",
    meaning: "The command line is wrong: an unknown flag, command, task or value.",
  },
  INTERNAL: { exit: "internal", meaning: "cuenv itself failed; this is a bug." },
  DIGEST_INVALID: {
    exit: "internal",
    meaning: "A digest is malformed: wrong length, not lowercase hexadecimal, or a negative size.",
  },
  DIGEST_FILE_CHANGED: {
    exit: "internal",
    meaning: "A file kept changing while it was being hashed.",
  },
} as const;

export type ErrorCode = keyof typeof errorTable;
