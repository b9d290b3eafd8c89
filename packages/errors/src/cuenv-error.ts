import { type ErrorCode, errorTable, exitCodes } from "./error-table.ts";

/** A place in a file: 1-based line and column, as editors count them. */
export interface Location {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

export interface CuenvErrorOptions {
  /** What the reader can do about it: one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  readonly location?: Location;
  /** The field of the configuration that it is about: `tasks.build.cache`, `remoteCache.endpoint`. */
  readonly field?: string;
  /** Further problems of the same kind, found in the same pass; the first one is this error itself. */
  readonly others?: readonly CuenvError[];
}

/**
 * The one error class of cuenv. `message` follows the grammar "cannot <verb> <object>: <reason>", without
 * a trailing full stop; the code says which row of the table (docs/errors.md) it is.
 */
export class CuenvError extends Error {
  override readonly name = "CuenvError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly location: Location | undefined;
  readonly field: string | undefined;
  readonly others: readonly CuenvError[];

  constructor(code: ErrorCode, message: string, options: CuenvErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.location = options.location;
    this.field = options.field;
    this.others = options.others ?? [];
  }

  /** The exit code of a command that ends with this error. */
  get exitCode(): number {
    return exitCodes[errorTable[this.code].exit];
  }
}
