import type { Digest, DigestFunction } from "@cuenv/digest";
import type { DigestFunction_Value } from "@cuenv/reapi/messages";
import { type ArtifactCounts, countArtifacts } from "../count-artifacts.ts";
import { type ByteBudget, createByteBudget } from "../grpc/byte-budget.ts";
import { heldAnswerBytes } from "../grpc/grpc-server.ts";
import { storesFor, storesOf } from "./caller.ts";
import { createNamespaceBlobs, type NamespaceBlobs } from "./namespace-blobs.ts";
import type { ReapiOptions } from "./reapi-options.ts";
import { createUploads, type Uploads } from "./uploads.ts";
import { createRecentMap, type RecentMap } from "./recent-map.ts";

/** What the methods of all services share. */
export interface ReapiServices {
  readonly options: ReapiOptions;
  /** @throws {GrpcError} INVALID_ARGUMENT when the function is not served */
  readonly blobsFor: (value: DigestFunction_Value) => NamespaceBlobs;
  /** @throws {GrpcError} INVALID_ARGUMENT when the function is not served */
  readonly blobsOf: (digestFunction: DigestFunction) => NamespaceBlobs;
  readonly uploads: Uploads;
  /** What uploads are decompressed in. */
  readonly windows: ByteBudget;
  readonly counts: { readonly blobs: ArtifactCounts; readonly results: ArtifactCounts };
  /** What blobs were cut into, by function, namespace and digest. */
  readonly splits: RecentMap<string, readonly Digest[]>;
}

const maxRememberedSplits = 4096;

export function createReapiServices(options: ReapiOptions): ReapiServices {
  const views = new Map(
    [...options.stores.values()].map((stores) => [
      stores,
      createNamespaceBlobs(stores, options.now),
    ]),
  );
  const viewOf = (stores: Parameters<typeof views.get>[0]): NamespaceBlobs => {
    const view = views.get(stores);
    if (view === undefined) throw new TypeError("stores without a view");
    return view;
  };
  return {
    options,
    blobsFor: (value) => viewOf(storesFor(options, value)),
    blobsOf: (digestFunction) => viewOf(storesOf(options, digestFunction)),
    uploads: createUploads(options.now),
    windows: createByteBudget(options.maxWindowBytes ?? heldAnswerBytes),
    counts: {
      blobs: countArtifacts(options.metrics, "reapi-cas"),
      results: countArtifacts(options.metrics, "reapi-ac"),
    },
    splits: createRecentMap(maxRememberedSplits),
  };
}
