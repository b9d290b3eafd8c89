import { createDiskActionStore } from "@cuenv/action-cache";
import { type BlobStore, createDiskBlobMembers, createDiskBlobStore } from "@cuenv/cas";
import { type DigestFunction, digestFunctions } from "@cuenv/digest";
import type { SharedWithGrpc } from "../cache-server.ts";
import { countRequest } from "../count-request.ts";
import { type AnsweredCall, createGrpcServer, type GrpcServer } from "../grpc/grpc-server.ts";
import { drainMs } from "../http-server.ts";
import { createReapiMethods } from "./reapi-methods.ts";
import { maxMessageBytes, type ReapiStores } from "./reapi-options.ts";
import { createReapiServices } from "./reapi-services.ts";

/** REAPI's caching services over the cache folder of a server. */
export function createReapiServer(shared: SharedWithGrpc): GrpcServer {
  const services = createReapiServices({
    stores: new Map(digestFunctions.map((name) => [name, storesOf(shared, name)])),
    policy: shared.policy,
    metrics: shared.metrics,
    maxBlobBytes: shared.maxBlobBytes,
    isReady: shared.isReady,
    now: () => performance.now(),
    onTrouble: shared.onTrouble,
  });
  const server = createGrpcServer({
    methods: createReapiMethods(services),
    maxMessageBytes,
    tls: shared.tls,
    onCall: (call) => count(shared, call),
    onTrouble: shared.onTrouble,
    drainMs,
  });
  return {
    listen: (address) => server.listen(address),
    renewTls: (material) => server.renewTls(material),
    close: async () => {
      await server.close();
      services.uploads.close();
    },
  };
}

function storesOf(
  { folder, onStored }: SharedWithGrpc,
  digestFunction: DigestFunction,
): ReapiStores {
  const place = { folder, digestFunction };
  const blobs = createDiskBlobStore(place);
  const noting: BlobStore = {
    ...blobs,
    write: async (...args) => {
      await blobs.write(...args);
      onStored();
    },
  };
  return {
    blobs: noting,
    members: createDiskBlobMembers(place),
    actions: createDiskActionStore(place),
  };
}

function count({ metrics, onRequest }: SharedWithGrpc, call: AnsweredCall): void {
  const { path, isServed, status, durationMs } = call;
  const route = isServed ? shortNameOf(path) : "unknown";
  const counted = { frontEnd: "grpc", route, status, durationMs };
  countRequest(metrics, counted);
  onRequest?.({ ...counted, method: "GRPC", path, who: call.who });
}

/** `/build.bazel.remote.execution.v2.ActionCache/GetActionResult` as `ActionCache/GetActionResult`. */
function shortNameOf(path: string): string {
  const [, service = "", method = ""] = path.split("/");
  return `${service.slice(service.lastIndexOf(".") + 1)}/${method}`;
}
