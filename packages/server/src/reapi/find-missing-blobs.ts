import { decodeFindMissingRequest, encodeFindMissingResponse } from "@cuenv/reapi/messages";
import type { GrpcCall, MessageParts } from "../grpc/grpc-method.ts";
import { admitCaller } from "./caller.ts";
import type { ReapiServices } from "./reapi-services.ts";

/** What the caller would have to upload. Blobs that are there count as used. */
export async function findMissingBlobs(
  { options, blobsFor }: ReapiServices,
  request: Buffer,
  call: GrpcCall,
): Promise<MessageParts> {
  const { instanceName, digests, digestFunction } = decodeFindMissingRequest(request);
  const { readable } = await admitCaller(options, call, "either", instanceName);
  const missing = await blobsFor(digestFunction).missing(readable, digests, call.signal);
  return [encodeFindMissingResponse(missing)];
}
