import type { FileIndex, FileKind } from "@cuenv/digest";

/** Patterns and the project folder that they are relative to. */
export interface OutputPatterns {
  readonly projectDirectory: string;
  readonly patterns: readonly string[];
}

/** What {@link selectInputs} is asked. Paths are relative to the workspace root. */
export interface SelectionRequest {
  readonly index: FileIndex;
  readonly projectDirectory: string;
  /** As the task declares them; undefined: all files of the project that git does not ignore. */
  readonly patterns: readonly string[] | undefined;
  /** `extraInputs`: in addition to `patterns`, or to all files. */
  readonly extraPatterns?: readonly string[] | undefined;
  /** `ignoreInputs`: what they match is no input, whatever the other lists say. */
  readonly ignorePatterns?: readonly string[] | undefined;
  /** Declared outputs of the task and of its dependencies: never taken from the disk as inputs. */
  readonly excludeOutputs?: readonly OutputPatterns[] | undefined;
  /** Folders that are never looked into: the cache folder, when it lies in the workspace. */
  readonly excludePaths?: readonly string[] | undefined;
}

/** Something about the inputs that their author may not have meant. The key is defined all the same. */
export type InputProblem =
  /** A path that was named is not there. It counts as absent, so the key moves when it comes. */
  | { readonly kind: "missing"; readonly path: string; readonly pattern: string }
  /** A pattern with wildcards matches no file. */
  | { readonly kind: "unmatched"; readonly pattern: string }
  /** A link that leads out of the workspace, nowhere, or round in circles: only its text counts. */
  | {
      readonly kind: "link";
      readonly path: string;
      readonly target: string;
      readonly reason: "outside" | "missing" | "loop";
    }
  /** A FIFO, socket or device that was named: it does not count. */
  | { readonly kind: "special"; readonly path: string };

/** A fact that a selection rests on. As long as all of them hold, it is the same. */
export type SelectionCheck =
  | {
      readonly kind: "listing";
      readonly path: string;
      readonly hash: string;
      /** Names that are left out of the selection whatever they are, and the listing's hash without them: outputs come and go. */
      readonly rest?: { readonly without: readonly string[]; readonly hash: string } | undefined;
    }
  | { readonly kind: "path"; readonly path: string; readonly found: FileKind | "missing" }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  /** A `.gitignore` and the hash of its bytes. */
  | { readonly kind: "content"; readonly path: string; readonly hash: string };

export interface Selection {
  /** Files and symbolic links, sorted by UTF-8 bytes, each once. */
  readonly files: readonly string[];
  readonly problems: readonly InputProblem[];
  readonly checks: readonly SelectionCheck[];
}
