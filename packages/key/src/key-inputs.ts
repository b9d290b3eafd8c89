import type { Digest, DigestFunction } from "@cuenv/digest";

/** One file, link or empty directory in the input root; `path` is relative to the workspace root. */
export type InputNode =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly digest: Digest;
      readonly executable: boolean;
    }
  | { readonly kind: "symlink"; readonly path: string; readonly target: string }
  | { readonly kind: "directory"; readonly path: string };

/** Which files are a task's inputs, as written. */
export interface DeclaredInputs {
  /** Null: not declared. */
  readonly inputs: readonly string[] | null;
  readonly extraInputs: readonly string[];
  readonly ignoreInputs: readonly string[];
}

/** A variable as it enters the key: its value, or for a secret the HMAC of it. */
export type KeyVariable =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly hmac: string };

/**
 * The readable pre-image of a key: every component of it, and nothing else. It is stored with each result, and
 * is what explanations compare. Lists are sorted by UTF-8 bytes of their first field, each name once.
 */
export interface KeyInputs {
  readonly version: 1;
  readonly digestFunction: DigestFunction;
  /** The task's full name: for people and for finding earlier results; not in the key. */
  readonly task: string;
  readonly command: readonly string[];
  /** Relative to the workspace root, "" for the root. */
  readonly workingDirectory: string;
  readonly variables: readonly KeyVariable[];
  /** Declared outputs, relative to the workspace root. */
  readonly outputs: readonly string[];
  /** Input files with the outputs of dependencies among them; empty when `cacheKey` replaces them. */
  readonly inputs: readonly InputNode[];
  readonly inputRoot: Digest;
  /** Dependencies that have no outputs count with their key. */
  readonly dependencies: readonly { readonly task: string; readonly key: string }[];
  /** Which task an input came from when it is the output of a dependency: path → task. */
  readonly producers: Readonly<Record<string, string>>;
  readonly tools: readonly { readonly command: string; readonly output: string }[];
  readonly platform: { readonly os: string; readonly arch: string };
  readonly cacheKey: string | undefined;
  readonly customComponents: readonly { readonly name: string; readonly value: string }[];
  /** Not there: strict. */
  readonly environmentMode?: "loose" | undefined;
  readonly keyEpoch: number;
  readonly keySchema: number;
  readonly namespace: string;
  readonly timeoutMs: number | undefined;
  /** As the task declares them: for telling a file that went from one that is no input any more. Not in the key; results of earlier versions have none. */
  readonly declaredInputs?: DeclaredInputs | undefined;
}
