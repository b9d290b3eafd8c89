/** A remote cache behind a local one, for adapters that keep entries of their own. Apart from the index, because no hit needs it. */
export type { CacheEvent } from "./cache-event.ts";
export { fetchBlobs, type FetchBlobsOptions } from "./fetch-blobs.ts";
export { openEngineRemote, type OpenedRemote } from "./open-engine-remote.ts";
export { remoteTrouble } from "./remote-trouble.ts";
export type { RemoteOptions, RemoteTier } from "./remote-tier.ts";
export type { Upload } from "./upload-queue.ts";
