import type { ActionCache, VerifyEnvelope } from "@cuenv/action-cache";
import type { BlobStore, CacheFolder } from "@cuenv/cas";
import type { CacheSettings, CommandTask } from "@cuenv/config";
import type { FileIndex } from "@cuenv/digest";
import type { Selection, SelectionRequest } from "@cuenv/key";
import type { CacheEvent } from "./cache-event.ts";
import type { LastResults } from "./last-results.ts";
import type { SpoolDirectory } from "./output-recorder.ts";
import type { Memos } from "./memos.ts";
import type { OutputWriters } from "./output-writers.ts";
import type { RewrittenInputs } from "./rewritten-inputs.ts";
import type { EngineRemote } from "./remote-tier.ts";
import type { Upload } from "./upload-queue.ts";

/** What a run of one project's tasks shares. Made by `openCacheEngine`. */
export interface CacheEngine extends Memos {
  readonly settings: CacheSettings;
  /** Absolute. */
  readonly workspaceRoot: string;
  /** The project's folder, relative to the workspace root. */
  readonly projectPath: string;
  readonly index: FileIndex;
  readonly blobs: BlobStore;
  readonly actions: ActionCache;
  readonly folder: CacheFolder;
  readonly lastResults: LastResults;
  /** Why nothing that this machine signs would be accepted here; undefined: it would. */
  readonly unacceptableSigner: () => Promise<string | undefined>;
  /** Entries that keys signed which nobody here knows, as this run found them: by hash, the ids of the keys. */
  readonly strangers: Map<string, Set<string | undefined>>;
  /** Keeps for the next run which signatures were good. */
  readonly saveSignatures: () => void;
  /** Behind this machine's; undefined: there is none. */
  readonly remote: EngineRemote | undefined;
  /** Sends what was stored to the remote cache; undefined: nothing is sent. */
  readonly upload: ((upload: Upload) => void) | undefined;
  /** Whether an entry comes from whom it may come from; undefined: whoever wrote it is believed. */
  readonly verify: VerifyEnvelope | undefined;
  /** The name of the tier that `blobs` and `actions` are, for people. */
  readonly tier: string;
  /** Whether results are kept in memory only, since the disk could not take them. */
  readonly isInMemory: () => boolean;
  /** Paths in the workspace that are nobody's input: the cache folder. */
  readonly excludedPaths: readonly string[];
  /** Where large output of tasks waits until it is stored. */
  readonly spoolDirectory: SpoolDirectory;
  /** Where the lease of a key lies; undefined: no leases. */
  readonly leasePath: (keyHash: string) => string | undefined;
  /** Who else writes outputs in this workspace; undefined where nothing is stored. */
  readonly writers: OutputWriters | undefined;
  readonly rewrittenInputs: RewrittenInputs;
  /** What secrets enter keys with. */
  readonly secretSalt: () => string;
  /** Who runs, where and of which commit, for entries. */
  readonly provenance: () => Readonly<Record<string, string>>;
  /** Version of cuenv, for entries. */
  readonly version: string;
  readonly now: () => number;
  readonly emit: (event: CacheEvent) => void;
  /** The files that an input selection finds, remembered between runs. */
  readonly select: (request: SelectionRequest) => Selection;
  /** A task's name across the workspace. */
  readonly taskId: (task: Pick<CommandTask, "name">) => string;
}
