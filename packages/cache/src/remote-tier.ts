import type { ActionStore } from "@cuenv/action-cache";
import type { BlobStore } from "@cuenv/cas";
import type { SlowMisses } from "./slow-misses.ts";

/** A cache on another machine, behind that of this one. What fails in it is bounded in time by itself. */
export interface RemoteTier {
  readonly blobs: BlobStore;
  readonly actions: ActionStore;
  /** Whether asking it, or sending to it, is any use now: false while it is out of order, or where it refused. */
  readonly isUsable: (access: "read" | "write") => boolean;
  /** It answers, and so slowly that it is of no use: to be left alone for a while, as if it had not answered. */
  readonly tooSlow: () => void;
  readonly close: () => void;
}

/** A remote tier as a run uses it. */
export interface RemoteOptions {
  /** For people: host and port. */
  readonly name: string;
  /** Called when it is needed first: on the way of a local hit nothing of it is loaded. @throws when it cannot be used at all */
  readonly open: () => Promise<RemoteTier>;
  readonly reads: boolean;
  readonly writes: boolean;
  /** How long it may keep silent (ms); a result may take as long again to come, and as long as its task ran. */
  readonly timeoutMs: number;
}

/** What the engine has of it. */
export interface EngineRemote extends RemoteOptions {
  /** Opened once; undefined when that failed, which was told. */
  readonly tier: () => Promise<RemoteTier | undefined>;
  readonly misses: SlowMisses;
}
