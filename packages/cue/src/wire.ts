import type { EvaluationInput } from "./evaluation.ts";
import type { Refusal } from "./host-files.ts";
import type { EvaluationLimits } from "./limits.ts";

// What the main thread and the worker tell each other, and what the Go program answers.

export interface WorkerSetup {
  readonly memoryBytes: number;
  readonly schemaFolder: string;
}

/** The first message: the module's code, or why there is none. */
export type WorkerStart = { readonly code: Uint8Array } | { readonly detail: string };

/**
 * What our schema does. "checks": the package is evaluated without it, and with it only if the result is not plainly what the schema
 * accepts. That gives the same answers as "unified", in a third of the time for 200 tasks.
 */
export type SchemaUse = "checks" | "unified" | "none";

export interface WorkerRequest {
  readonly directory: string;
  readonly root: string;
  readonly packageName: string;
  readonly schema: SchemaUse;
  readonly limits: EvaluationLimits;
}

export type WorkerMessage =
  | { readonly kind: "ready" }
  | {
      readonly kind: "answer";
      readonly answer: EvaluatorAnswer;
      readonly inputs: readonly EvaluationInput[];
      readonly refusal: Refusal | undefined;
    }
  /** The instance is dead. */
  | {
      readonly kind: "crash";
      readonly cause: "memory" | "depth" | "other";
      readonly detail: string;
    }
  | { readonly kind: "broken"; readonly detail: string };

export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem {
  readonly message: string;
  readonly path?: readonly string[];
  readonly positions?: readonly Position[];
  readonly schemaPositions?: readonly Position[];
}

export interface Failure {
  readonly kind:
    | "syntax"
    | "package"
    | "ambiguous"
    | "read"
    | "load"
    | "evaluation"
    | "output"
    | "depth"
    | "internal";
  readonly problems: readonly Problem[];
}

export interface EvaluatorResult {
  readonly package: string;
  readonly value: import("./evaluation.ts").Data;
  readonly files: readonly string[];
  /** Pointer → index into `files`, line, column. */
  readonly positions: Readonly<Record<string, readonly [number, number, number]>>;
  readonly references: Readonly<Record<string, string>>;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
  readonly unknown: readonly string[];
  /** The value holds bytes or floats, which in JSON look like strings and integers. */
  readonly lossy: boolean;
}

/** JSON: `EvaluatorResult`, or `{ failure: Failure }`. Kept as text: the main thread parses it, and the memo stores it. */
export type EvaluatorAnswer = string;
