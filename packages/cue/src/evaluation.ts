import type { Location } from "@cuenv/errors";

/** Plain data: what JSON can say. Objects have no prototype, so that a field `__proto__` is a field. */
export type Data =
  | null
  | boolean
  | number
  | string
  | readonly Data[]
  | { readonly [field: string]: Data };

/**
 * A package evaluated to plain data, with what plain data loses. `path` is a JSON pointer (RFC 6901) into
 * `value`, `/tasks/build/inputs/0`.
 */
export interface Evaluation {
  readonly value: Data;
  /** Where fields and list items were written, at least for everything below `tasks`, `env`, `config`. Files are absolute paths. */
  readonly positions: Readonly<Record<string, Location>>;
  /** Values that are references to other fields: pointer of the reference → pointer of what it names (`/tasks/test/dependsOn/0` → `/tasks/build`). */
  readonly references: Readonly<Record<string, string>>;
  /** Attributes of fields, `@capability("x")`: pointer → attribute texts. */
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

/** What an evaluation depended on. Any difference in one of these, and it must be done again. */
export type EvaluationInput =
  | { readonly kind: "file"; readonly path: string; readonly hash: string }
  /** Names and kinds of the entries, hashed. */
  | { readonly kind: "directory"; readonly path: string; readonly hash: string }
  | { readonly kind: "missing"; readonly path: string };
