import { CuenvError, type CuenvErrorOptions, type ErrorCode, type Location } from "@cuenv/errors";
import { fieldOfPointer, parentPointer } from "./json-pointer.ts";

/** More than anybody reads; keeps a hostile file from filling memory with errors. */
const maximumProblems = 100;

export interface Warning {
  readonly message: string;
  readonly location?: Location;
  /** The field that it is about: `tasks.build.cache_env`. */
  readonly field?: string;
  /** What to write instead. */
  readonly suggestion?: string;
  /** unknown: a name that means nothing, most often a misspelling. deprecated: `cuenv cache migrate` rewrites it. */
  readonly kind?: "unknown" | "deprecated";
  /** Of no interest to who turned the cache off. */
  readonly about?: "cache";
}

/**
 * Collects what is wrong in one pass over a configuration, so that a reader sees all of it at once. `pointer` is
 * where in the data; it becomes the location of the nearest field whose position is known.
 */
export interface Problems {
  add(code: ErrorCode, pointer: string, message: string, hint?: string): void;
  /** `cause` makes the warning one of its kind: a second one with the same cause is not kept. */
  warn(
    cause: string,
    pointer: string,
    message: string,
    about?: "cache",
    more?: Pick<Warning, "suggestion" | "kind">,
  ): void;
  /** As {@link Problems.warn}: "OLD is deprecated: SUGGESTION". */
  deprecate(cause: string, pointer: string, old: string, suggestion: string): void;
  locate(pointer: string): Location | undefined;
  readonly count: number;
  readonly warnings: readonly Warning[];
  /** The first problem with all others in `others`, if there is one. */
  error(): CuenvError | undefined;
  throwIfAny(): void;
}

export interface ProblemsOptions {
  readonly positions?: Readonly<Record<string, Location>> | undefined;
  /** Where problems are whose position is not known. */
  readonly fallback?: Location | undefined;
  /** Every place of a deprecated form is a warning of its own: for who mends them all. */
  readonly everyPlace?: boolean | undefined;
}

export function createProblems({
  positions = {},
  fallback,
  everyPlace = false,
}: ProblemsOptions = {}): Problems {
  const found: { code: ErrorCode; message: string; options: CuenvErrorOptions }[] = [];
  const warnings = new Map<string, Warning>();
  let count = 0;

  function locate(pointer: string): Location | undefined {
    for (let at = pointer; ; at = parentPointer(at)) {
      if (Object.hasOwn(positions, at)) return positions[at];
      if (at === "") return fallback;
    }
  }

  const self: Problems = {
    add(code, pointer, message, hint) {
      count += 1;
      if (found.length >= maximumProblems) return;
      const location = locate(pointer);
      const field = fieldOfPointer(pointer);
      found.push({
        code,
        message,
        options: {
          ...(hint === undefined ? {} : { hint }),
          ...(location ? { location } : {}),
          ...(field === "" ? {} : { field }),
        },
      });
    },
    deprecate(cause, pointer, old, suggestion) {
      const message = `${old} is deprecated: ${suggestion}`;
      // A template gives one place to many tasks.
      const one = everyPlace ? `${cause} ${JSON.stringify(locate(pointer) ?? pointer)}` : cause;
      self.warn(one, pointer, message, "cache", { suggestion, kind: "deprecated" });
    },
    warn(cause, pointer, message, about, more = {}) {
      if (warnings.has(cause)) return;
      const location = locate(pointer);
      const field = fieldOfPointer(pointer);
      warnings.set(cause, {
        message,
        ...(location === undefined ? {} : { location }),
        ...(field === "" ? {} : { field }),
        ...more,
        ...(about === undefined ? {} : { about }),
      });
    },
    locate,
    get count() {
      return count;
    },
    get warnings() {
      return [...warnings.values()];
    },
    error() {
      const [first, ...rest] = found;
      if (first === undefined) return undefined;
      const others = rest.map(
        ({ code, message, options }) => new CuenvError(code, message, options),
      );
      return new CuenvError(first.code, first.message, { ...first.options, others });
    },
    throwIfAny() {
      const error = self.error();
      if (error !== undefined) throw error;
    },
  };
  return self;
}
