import {
  ActionCache,
  ByteStream,
  Capabilities,
  ContentAddressableStorage,
  Health,
} from "@cuenv/reapi/messages";
import type {
  GrpcCall,
  GrpcMethod,
  GrpcMethods,
  MessageParts,
  StreamedMessage,
} from "../grpc/grpc-method.ts";
import { getActionResult, updateActionResult } from "./action-cache.ts";
import { identify } from "./caller.ts";
import { batchReadBlobs, batchUpdateBlobs } from "./batch-blobs.ts";
import { getCapabilities } from "./capabilities.ts";
import { findMissingBlobs } from "./find-missing-blobs.ts";
import { getTree } from "./get-tree.ts";
import { createHealth } from "./health.ts";
import { readBlob } from "./read-blob.ts";
import type { ReapiServices } from "./reapi-services.ts";
import { spliceBlob, splitBlob } from "./split-blob.ts";
import { asStoreFailure } from "./store-failure.ts";
import { queryWriteStatus, writeBlob } from "./write-blob.ts";

type Unary = (services: ReapiServices, message: Buffer, call: GrpcCall) => Promise<MessageParts>;
type Streaming = (
  services: ReapiServices,
  message: Buffer,
  call: GrpcCall,
) => AsyncIterable<StreamedMessage>;
type Receiving = (
  services: ReapiServices,
  messages: AsyncIterable<Buffer>,
  call: GrpcCall,
) => Promise<MessageParts>;

/** The caching services of REAPI v2, ByteStream and Health. */
export function createReapiMethods(services: ReapiServices): GrpcMethods {
  const cas = ContentAddressableStorage;
  const health = createHealth(services.options.isReady, () => known);
  const admit = (call: GrpcCall): Promise<unknown> => identify(services.options, call);
  const unary = (handle: Unary): GrpcMethod => ({
    admit,
    kind: "unary",
    handle: (request, call) => guarded(services, () => handle(services, request, call)),
  });
  const streaming = (handle: Streaming): GrpcMethod => ({
    admit,
    kind: "serverStreaming",
    handle: (request, call) => guardedStream(services, handle(services, request, call)),
  });
  const receiving = (handle: Receiving): GrpcMethod => ({
    admit,
    kind: "clientStreaming",
    handle: (requests, call) => guarded(services, () => handle(services, requests, call)),
  });
  const methods = new Map<string, GrpcMethod>([
    [
      pathOf(Capabilities.method.getCapabilities),
      unary(({ options }, ...rest) => getCapabilities(options, ...rest)),
    ],
    [pathOf(ActionCache.method.getActionResult), unary(getActionResult)],
    [pathOf(ActionCache.method.updateActionResult), unary(updateActionResult)],
    [pathOf(cas.method.findMissingBlobs), unary(findMissingBlobs)],
    [pathOf(cas.method.batchUpdateBlobs), unary(batchUpdateBlobs)],
    [pathOf(cas.method.batchReadBlobs), unary(batchReadBlobs)],
    [pathOf(cas.method.getTree), streaming(getTree)],
    [pathOf(cas.method.splitBlob), unary(splitBlob)],
    [pathOf(cas.method.spliceBlob), unary(spliceBlob)],
    [pathOf(ByteStream.method.read), streaming(readBlob)],
    [pathOf(ByteStream.method.write), receiving(writeBlob)],
    [pathOf(ByteStream.method.queryWriteStatus), unary(queryWriteStatus)],
    [pathOf(Health.method.check), open(unary((_, request) => health.check(request)))],
    [
      pathOf(Health.method.watch),
      open(streaming((_, request, call) => health.watch(request, call))),
    ],
  ]);
  const known = new Set([...methods.keys()].map((path) => path.split("/")[1] ?? ""));
  return methods;
}

/** The name of a service, and little else. */
const maxOpenMessageBytes = 4096;

/** A method for everybody: so it takes nothing that would be worth holding. */
function open(method: GrpcMethod): GrpcMethod {
  return { ...method, admit: undefined, maxMessageBytes: maxOpenMessageBytes };
}

function pathOf(method: {
  readonly name: string;
  readonly parent: { readonly typeName: string };
}): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** What a store fails with, or a message that cannot be decoded, as a status. */
async function guarded<Value>(
  { options }: ReapiServices,
  step: () => Promise<Value>,
): Promise<Value> {
  try {
    return await step();
  } catch (error) {
    throw asStoreFailure(error, options.onTrouble) ?? error;
  }
}

async function* guardedStream(
  { options }: ReapiServices,
  messages: AsyncIterable<StreamedMessage>,
): AsyncGenerator<StreamedMessage> {
  try {
    yield* messages;
  } catch (error) {
    throw asStoreFailure(error, options.onTrouble) ?? error;
  }
}
