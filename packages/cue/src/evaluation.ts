import type { Location } from "@cuenv/errors";

/** Plain data: what JSON can say. Read own fields only (`Object.hasOwn`): a field `__proto__` is a field. */
export type Data =
  | null
  | boolean
  | number
  | string
  | readonly Data[]
  | { readonly [field: string]: Data };

/**
 * A package evaluated to plain data, with what plain data loses. All keys are JSON pointers (RFC 6901) into
 * `value`, `/tasks/build/inputs/0`.
 */
export interface Evaluation {
  readonly value: Data;
  /** Where fields and list items were written. Files are absolute paths. */
  readonly positions: Readonly<Record<string, Location>>;
  /**
   * Values inside the fields of tasks that are references to other fields: pointer of the reference → pointer of
   * what it names (`/tasks/test/dependsOn/0` → `/tasks/build`, `/tasks/test/args/1` → `/tasks/build/stdout`). Where a
   * whole task is named, `value` has null in that place: a copy would hold copies of all that it depends on.
   */
  readonly references: Readonly<Record<string, string>>;
  /** Attributes of fields: pointer → texts, `@capability(x)`. */
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

/** What an evaluation depended on. Any difference in one of these, and it must be done again. */
export type EvaluationInput =
  | {
      readonly kind: "file";
      readonly path: string;
      /** SHA-256 of the content. */
      readonly hash: string;
      readonly stamp?: InputStamp | undefined;
    }
  | {
      readonly kind: "directory";
      readonly path: string;
      /** "cue": only what a package is made of counts, `*.cue` and `cue.mod`; "all": every entry. */
      readonly entries: "cue" | "all";
      /** SHA-256 of the names and kinds of those entries. */
      readonly hash: string;
      readonly stamp?: InputStamp | undefined;
    }
  /** Something is there, and is a folder or not; nothing else about it counted. */
  | { readonly kind: "present"; readonly path: string; readonly isDirectory: boolean }
  | { readonly kind: "missing"; readonly path: string };

/**
 * What stat(2) said before a file or folder was read: size, mtime, ctime (milliseconds with fractions), inode, and
 * the time of the reading. An equal stat later means equal content only if the reading was at least
 * `racyMs` after mtime and ctime: a write within one tick of the clock changes none of them.
 */
export type InputStamp = readonly [
  size: number,
  mtimeMs: number,
  ctimeMs: number,
  inode: number,
  readAtMs: number,
];
