import type { RefusalReason } from "@cuenv/signer";

/** Why a lookup was no hit, or was not made. */
export type MissReason =
  /** No entry under this key. */
  | "absent"
  /** An entry, but not all of its blobs. */
  | "incomplete"
  /** An entry or blob that is damaged. */
  | "corrupt"
  /** An entry, as it seems, of a cuenv that is newer or older. */
  | "otherVersion"
  /** An entry that is older than the task's maxAge. */
  | "expired"
  /** The store could not be read. */
  | "unreadable"
  /** An entry that is not signed by whom it would have to be. */
  | "untrusted"
  /** The outputs could not be put in place. */
  | "restoreFailed"
  /** A file that the task's inputs match as well as its outputs was changed: putting the outputs in place would undo that. */
  | "editedOutput"
  /** `--force`, or a mode that does not read. */
  | "notRead"
  /** A dependency of which nobody can say what came of it: it is not cached and declares no outputs, or it failed. */
  | "uncachedDependency"
  /** The key could not be computed: an unreadable input, a tool that fails. */
  | "noKey";

/** Why an entry was not trusted: what its signature lacks, or that it was stored under another key. */
export type RefusedReason = RefusalReason | "keyMismatch";

/** Why a successful run was not stored. */
export type NotStoredReason =
  | "inputsChanged"
  /** Another process wrote its outputs, or those of a dependency, meanwhile; or whether one did is not known. */
  | "outputsShared"
  | "unsuitableOutput"
  | "secretInOutput"
  | "outputTooLarge"
  | "untrustedSigner"
  | "storeUnavailable"
  | "notWritten";

/**
 * What happened in the cache. Statistics, `--json`, warnings and metrics are all made from these.
 * Times are durations in milliseconds.
 */
export type CacheEvent =
  /** The key of a task was computed, or found to be none: with its inputs looked at, and its tools asked. */
  | { readonly type: "keyed"; readonly task: string; readonly durationMs: number }
  | {
      readonly type: "lookup";
      readonly task: string;
      readonly key: string;
      readonly durationMs: number;
    }
  /** The remote cache was asked; of a hit, all of it was fetched. */
  | {
      readonly type: "remoteLookup";
      readonly task: string;
      readonly key: string;
      readonly outcome: "hit" | "miss" | "failed";
      readonly durationMs: number;
    }
  | {
      readonly type: "fetched";
      readonly task: string;
      readonly blobs: number;
      readonly bytes: number;
    }
  /** A stored result is in the remote cache, too; blobs are those that were not there before. */
  | {
      readonly type: "uploaded";
      readonly task: string;
      readonly key: string;
      readonly blobs: number;
      readonly bytes: number;
      readonly durationMs: number;
    }
  | {
      readonly type: "hit";
      readonly task: string;
      readonly key: string;
      readonly tier: string;
      readonly savedMs: number;
    }
  | {
      readonly type: "miss";
      readonly task: string;
      readonly key: string | undefined;
      readonly reason: MissReason;
    }
  | {
      readonly type: "restored";
      readonly task: string;
      readonly files: number;
      readonly bytes: number;
      readonly durationMs: number;
    }
  | { readonly type: "executed"; readonly task: string; readonly durationMs: number }
  | {
      readonly type: "stored";
      readonly task: string;
      readonly key: string;
      readonly durationMs: number;
    }
  | {
      readonly type: "notStored";
      readonly task: string;
      readonly reason: NotStoredReason;
      readonly detail: string;
    }
  /** An entry that was found and is not trusted: a miss, too. */
  | {
      readonly type: "refused";
      readonly task: string;
      readonly key: string;
      readonly reason: RefusedReason;
      /** As the entry names it. */
      readonly keyId: string | undefined;
    }
  /** A declared output that the task did not make; the result is stored without it. */
  | { readonly type: "outputNotMade"; readonly task: string; readonly output: string }
  /**
   * A declared input that no file stands for, a misspelt one perhaps: what it should have named changes without a miss.
   * Of patterns, which may well match nothing, only where no input of the task is there.
   */
  | { readonly type: "inputNotFound"; readonly task: string; readonly message: string }
  /** Something that the author of the task may not have meant; nothing failed. */
  | { readonly type: "note"; readonly task: string; readonly message: string }
  /** All tasks are done, and results are still being sent. */
  | {
      readonly type: "flushing";
      readonly task: undefined;
      readonly remote: string;
      readonly pending: number;
    }
  /** Something of the cache failed; the task did not. One warning per `cause` and run is enough for people. */
  | {
      readonly type: "trouble";
      readonly task: string | undefined;
      readonly cause: string;
      readonly message: string;
    };
