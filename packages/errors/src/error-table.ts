/**
 * Exit codes of our own. A task's own exit code is passed through, and 128+n for a signal; these are used
 * only where no task's code is available. No error has 0 or 1.
 */
export const exitCodes = {
  /** `cuenv turbo sync --check` found a turbo.json that is not in step. */
  outOfStep: 1,
  /** Wrong usage: an unknown flag, command or task on the command line. */
  usage: 2,
  /** The configuration cannot be read, evaluated or validated. */
  configuration: 3,
  /** `cuenv cache verify` found damage, or `cuenv cache audit` a stored result that differs from what its task makes. */
  damage: 4,
  /** `cuenv verify` ran a task again and it did not make what is stored. */
  notReproducible: 5,
  /** `cuenv doctor` found something broken. */
  broken: 6,
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
  OUTPUT_UNWRITABLE: {
    exit: "internal",
    meaning: "What a command prints cannot be written to stdout: a full disk behind a redirection.",
  },
  PROJECT_NOT_FOUND: {
    exit: "configuration",
    meaning:
      "No env.cue in the current folder or a folder above it; in one above that everybody may write to, as /tmp, none is looked for.",
  },
  INIT_NOTHING_FOUND: {
    exit: "configuration",
    meaning:
      "There is no package.json, turbo.json or nx.json that an env.cue could be made of, or nothing in it becomes a task.",
  },
  INIT_FILE_EXISTS: {
    exit: "configuration",
    meaning: "There is an env.cue already, and cuenv init writes over none.",
  },
  INIT_CANNOT_WRITE: {
    exit: "internal",
    meaning: "The env.cue that cuenv init made cannot be written.",
  },
  INTERNAL: { exit: "internal", meaning: "cuenv itself failed; this is a bug." },
  CONFIG_TYPE: {
    exit: "configuration",
    meaning: "A field of the configuration has a value of the wrong type.",
  },
  CONFIG_UNKNOWN_FIELD: {
    exit: "configuration",
    meaning: "A field of the configuration does not exist, most often a misspelling.",
  },
  CONFIG_VALUE: {
    exit: "configuration",
    meaning:
      "A value of the configuration cannot be read: a duration, a size, a policy, or a number out of its range.",
  },
  CONFIG_CACHE_MODE: {
    exit: "configuration",
    meaning: "A cache mode is none of off, read, read-write and write.",
  },
  CONFIG_NAME: {
    exit: "configuration",
    meaning: "A name is malformed: a variable's, a task's or a namespace.",
  },
  CONFIG_NAME_COLLISION: { exit: "configuration", meaning: "Two tasks get the same full name." },
  CONFIG_ACTION: {
    exit: "configuration",
    meaning: "A task's command or script is missing or empty.",
  },
  CONFIG_UNKNOWN_TASK: {
    exit: "configuration",
    meaning: "A task depends on, or takes output from, a task that does not exist.",
  },
  CONFIG_CYCLE: { exit: "configuration", meaning: "Tasks depend on each other in a circle." },
  CONFIG_OUTSIDE_WORKSPACE: {
    exit: "configuration",
    meaning: "A folder, input or output of a task lies outside the workspace.",
  },
  CONFIG_OUTPUTS: {
    exit: "configuration",
    meaning:
      "A task's outputs cannot be owned by it: the whole project, its own inputs, or files that another task declares too.",
  },
  CONFIG_UNKNOWN_ENVIRONMENT: {
    exit: "configuration",
    meaning: "The environment asked for by -e or CUENV_ENV is not in the configuration.",
  },
  CONFIG_REFUSED: {
    exit: "configuration",
    meaning:
      "A task asks for something that cuenv does not have and that would be unsafe to leave out.",
  },
  CONFIG_USERS_ONLY: {
    exit: "configuration",
    meaning:
      "A file of the project sets what only the user, a variable or a flag may: an endpoint, a token, or whom to trust.",
  },
  CONFIG_LOCKED: {
    exit: "configuration",
    meaning:
      "The user's settings are locked, and a variable or the project sets what only they say then: where results lie, or whom to trust.",
  },
  CONFIG_FILE_EXISTS: {
    exit: "configuration",
    meaning: "A file that was to be written is there already, or one that it would contradict.",
  },
  CONFIG_MIGRATION: {
    exit: "configuration",
    meaning:
      "Deprecated forms cannot be rewritten: the result would not mean the same, or a file changed meanwhile.",
  },
  CONFIG_FILE: {
    exit: "configuration",
    meaning: "A configuration file cannot be read, or is not valid JSON or YAML.",
  },
  DIGEST_INVALID: {
    exit: "internal",
    meaning: "A digest is malformed: wrong length, not lowercase hexadecimal, or a negative size.",
  },
  DIGEST_FILE_CHANGED: {
    exit: "internal",
    meaning: "A file kept changing while it was being hashed.",
  },
  REAPI_MESSAGE_INVALID: {
    exit: "internal",
    meaning:
      "A message of the Remote Execution API cannot be encoded canonically: a name that is there twice or is no path segment, a text that is not Unicode, a number out of range, or too many bytes.",
  },
  KEY_GLOB_INVALID: {
    exit: "configuration",
    meaning:
      "A pattern of inputs or outputs is malformed, leaves the workspace, or is too long or too complex to be matched in bounded time.",
  },
  KEY_PATH_INVALID: {
    exit: "configuration",
    meaning: "A path lies outside the workspace, or contains a NUL byte.",
  },
  KEY_INPUT_UNREADABLE: {
    exit: "internal",
    meaning:
      "An input exists but cannot be read, or a folder of inputs not listed; the task runs uncached.",
  },
  RUN_TASK_NOT_FOUND: {
    exit: "usage",
    meaning: "A name or pattern on the command line fits no task of the project.",
  },
  RUN_ARGUMENTS: {
    exit: "usage",
    meaning:
      "The arguments after -- do not fit the task: unknown, missing, of the wrong type, or given to a group.",
  },
  RUN_CIRCLE: {
    exit: "configuration",
    meaning: "A task runs itself: its command starts cuenv with the same task again.",
  },
  RUN_DEPENDENCY: {
    exit: "internal",
    meaning:
      "Outputs that `--download` left in the remote cache were needed and gone, and the task that makes them failed when it ran for them.",
  },
  RUN_NOTHING_STORED: {
    exit: "usage",
    meaning: "A task was to be compared with its stored result, and there is none.",
  },
  RUN_NO_KEY: {
    exit: "configuration",
    meaning:
      "A task has no key that could be shown: it is not cached, or its dependencies would run first.",
  },
  RUN_OUTPUT_REFERENCE: {
    exit: "configuration",
    meaning:
      "The output of another task cannot be used as an argument or a variable: that task did not run, or printed what cannot be one.",
  },
  RUN_DEFINITION: {
    exit: "configuration",
    meaning:
      "Another tool (Nx) asked for a task as it had read it, and env.cue or the settings define it otherwise by now.",
  },
  RUN_SECRET: {
    exit: "configuration",
    meaning: "The command that gives a secret's value failed, or gave none.",
  },
  RUN_ENVIRONMENT: {
    exit: "configuration",
    meaning: "A variable's value cannot be handed to a process: it contains a NUL byte.",
  },
  RUN_SPAWN: {
    exit: "internal",
    meaning: "The operating system refused to start a process: no memory, processes or files left.",
  },
  CUE_READ: {
    exit: "configuration",
    meaning:
      "A folder or file that a CUE package needs cannot be read, is no regular file, or lies outside the module.",
  },
  CUE_SYNTAX: { exit: "configuration", meaning: "A CUE file is not well-formed." },
  CUE_IMPORT: {
    exit: "configuration",
    meaning: "A CUE package cannot be loaded: its module file or one of its imports is wrong.",
  },
  CUE_PACKAGE_NOT_FOUND: {
    exit: "configuration",
    meaning: "The folder has no CUE package, or none of the name that was asked for.",
  },
  CUE_PACKAGE_AMBIGUOUS: {
    exit: "configuration",
    meaning: "The folder has several CUE packages, and none of them is the default.",
  },
  CUE_EVALUATION: {
    exit: "configuration",
    meaning: "Values of a CUE package are in conflict, incomplete or not defined.",
  },
  CUE_INVALID: {
    exit: "configuration",
    meaning:
      "A CUE package does not fit cuenv's schema: a misspelt field, or a value of the wrong type.",
  },
  CUE_LIMIT_TIME: { exit: "configuration", meaning: "Evaluating a CUE package takes too long." },
  CUE_LIMIT_MEMORY: {
    exit: "configuration",
    meaning: "Evaluating a CUE package needs too much memory.",
  },
  CUE_LIMIT_OUTPUT: {
    exit: "configuration",
    meaning: "The result of evaluating a CUE package is too large.",
  },
  CUE_LIMIT_READ: {
    exit: "configuration",
    meaning: "A CUE package reads too many files, or files that are too large.",
  },
  CUE_LIMIT_DEPTH: {
    exit: "configuration",
    meaning: "Values of a CUE package are nested too deep.",
  },
  CUE_EVALUATOR: {
    exit: "internal",
    meaning: "The CUE evaluator that ships with cuenv cannot be started, or failed.",
  },
  CAS_BLOB_NOT_FOUND: {
    exit: "internal",
    meaning: "A blob is not in the store: never written, evicted, or deleted.",
  },
  CAS_BLOB_CORRUPT: {
    exit: "internal",
    meaning:
      "The bytes that a store holds for a blob are not those of its digest. They were not used, and count as missing.",
  },
  CAS_DIGEST_MISMATCH: {
    exit: "internal",
    meaning: "Bytes were given under the digest of other bytes. Nothing was stored.",
  },
  CAS_RANGE_INVALID: {
    exit: "internal",
    meaning: "A range of a blob begins beyond its end, or is negative.",
  },
  CAS_STORE_UNAVAILABLE: {
    exit: "internal",
    meaning:
      "The store cannot work now: the disk is full, the folder is read-only, not accessible, or not to be trusted.",
  },
  CAS_OUTPUT_INVALID: {
    exit: "configuration",
    meaning:
      "A declared output cannot be one: it leaves the workspace, covers the whole project, or its pattern cannot be matched in bounded time.",
  },
  CAS_ENTRY_INVALID: {
    exit: "internal",
    meaning:
      "A list of outputs is hostile or damaged: a path that leaves, collides with another or lies below a link. Nothing was restored.",
  },
  TURBO_RUNTIME: {
    exit: "configuration",
    meaning:
      "A runtime command of the settings failed, so results of turbo cannot be kept apart by what it prints.",
  },
  TURBO_SUMMARY: {
    exit: "internal",
    meaning: "What turbo says of a run cannot be read, or turbo failed to say it.",
  },
  TURBO_FILE: {
    exit: "configuration",
    meaning:
      "A turbo.json cannot be brought in step with env.cue: it cannot be read, or is of turbo 1.",
  },
  SERVER_CONFIG_INVALID: {
    exit: "configuration",
    meaning: "The configuration of `cuenv serve` cannot be used: a token, a team or an address.",
  },
  SERVER_LISTEN: {
    exit: "internal",
    meaning: "The server cannot listen at the address that it was given.",
  },
  SERVER_DEADLINE: {
    exit: "internal",
    meaning:
      "The server's store took too long; a client that cannot wait was told that there is nothing.",
  },
  AC_STORE_UNAVAILABLE: {
    exit: "internal",
    meaning: "The store of entries cannot work now; see CAS_STORE_UNAVAILABLE.",
  },
  AC_NAMESPACE_INVALID: {
    exit: "configuration",
    meaning: "A namespace has characters other than letters, digits, `.`, `_` and `-`.",
  },
  TRUST_KEY_INVALID: {
    exit: "configuration",
    meaning: "A private key for signing cannot be read, or cannot be made.",
  },
  TRUST_KEY_EXPOSED: {
    exit: "configuration",
    meaning:
      "A private key lies where others can read it or put another in its place. It was not used.",
  },
  TRUST_FILE_INVALID: {
    exit: "configuration",
    meaning:
      "A line of the trust file is wrong, or the file cannot be read. None of its keys counts.",
  },
  TRUST_FILE_EXPOSED: {
    exit: "configuration",
    meaning: "Others can write to the trust file, or put another in its place. It was not used.",
  },
  TRUST_FILE_BUSY: {
    exit: "configuration",
    meaning:
      "Another cuenv changes the trust file, or was ended while it did. Nothing was changed by this one.",
  },
  TRUST_FILE_PLACE: {
    exit: "configuration",
    meaning:
      "The trust file lies in the workspace or in the cache folder, whose writers would say whom to trust.",
  },
} as const;

export type ErrorCode = keyof typeof errorTable;
