import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  Compressor_Value,
  digestFunctionValue,
  GetCapabilitiesRequestSchema,
  RequestMetadataSchema,
  ServerCapabilitiesSchema,
  SymlinkAbsolutePathStrategy_Value,
} from "@cuenv/reapi/messages";
import { isAllowed } from "../access-policy.ts";
import type { GrpcCall, MessageParts } from "../grpc/grpc-method.ts";
import { decodeRequest } from "./decode-request.ts";
import { admitCaller } from "./caller.ts";
import { fastCdcSizes } from "@cuenv/cas";
import { maxBatchBytes, type ReapiOptions } from "./reapi-options.ts";

/** Bazel 4 speaks exactly 2.0, and refuses a server that begins later. 2.12 has SplitBlob's and SpliceBlob's chunking functions. */
const lowest = { major: 2, minor: 0 };
const highest = { major: 2, minor: 12 };

/** What this server can do, for who asks: `update_enabled` is how a client learns that it may only read. */
export async function getCapabilities(
  options: ReapiOptions,
  request: Buffer,
  call: GrpcCall,
): Promise<MessageParts> {
  const { instanceName } = decodeRequest(GetCapabilitiesRequestSchema, request);
  const caller = await admitCaller(options, call, "either", instanceName);
  const isWriter = isAllowed(caller.identity, "write", caller.namespace);
  const answer = create(ServerCapabilitiesSchema, {
    cacheCapabilities: {
      digestFunctions: [...options.stores.keys()].map((name) => digestFunctionValue[name]),
      actionCacheUpdateCapabilities: { updateEnabled: isWriter || failsWhenReadOnly(call) },
      maxBatchTotalSizeBytes: BigInt(maxBatchBytes),
      symlinkAbsolutePathStrategy: SymlinkAbsolutePathStrategy_Value.ALLOWED,
      supportedCompressors: [Compressor_Value.ZSTD],
      supportedBatchUpdateCompressors: [Compressor_Value.ZSTD],
      maxCasBlobSizeBytes: BigInt(options.maxBlobBytes),
      splitBlobSupport: true,
      spliceBlobSupport: true,
      fastCdc2020Params: { avgChunkSizeBytes: BigInt(fastCdcSizes.averageBytes), seed: 0 },
    },
    deprecatedApiVersion: lowest,
    lowApiVersion: lowest,
    highApiVersion: highest,
  });
  return [toBinary(ServerCapabilitiesSchema, answer)];
}

const metadataHeader = "build.bazel.remote.execution.v2.requestmetadata-bin";

/**
 * Bazel before 6.0 ends the build where uploads are on, as they are by default, and the server says that it takes none. Told that it does, it
 * gets its refusal at the first upload, and only warns.
 */
function failsWhenReadOnly({ headers }: GrpcCall): boolean {
  const header = headers[metadataHeader];
  if (typeof header !== "string") return false;
  try {
    const { toolDetails } = fromBinary(RequestMetadataSchema, Buffer.from(header, "base64"));
    return toolDetails?.toolName === "bazel" && Number.parseInt(toolDetails.toolVersion, 10) < 6;
  } catch {
    return false;
  }
}
