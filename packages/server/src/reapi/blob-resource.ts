import {
  type BlobResource,
  parseReadResource,
  parseWriteResource,
  type ResourceNameProblem,
  type UploadResource,
} from "@cuenv/reapi/messages";
import type { GrpcCall } from "../grpc/grpc-method.ts";
import { GrpcError } from "../grpc/grpc-status.ts";

/** A header in which clients may repeat the name, so that proxies can route by it. */
const nameHeader = "build.bazel.remote.execution.v2.resource-name";

/** @throws {GrpcError} INVALID_ARGUMENT */
export function readResource(name: string, call: GrpcCall): BlobResource {
  return usable(parseReadResource(name), name, call);
}

/** @throws {GrpcError} INVALID_ARGUMENT */
export function writeResource(name: string, call: GrpcCall): UploadResource {
  return usable(parseWriteResource(name), name, call);
}

function usable<Resource extends BlobResource>(
  parsed: Resource | ResourceNameProblem,
  name: string,
  { headers }: GrpcCall,
): Resource {
  const shown = JSON.stringify(name.slice(0, 300));
  if ("problem" in parsed)
    throw new GrpcError("INVALID_ARGUMENT", `${shown} is no resource name: ${parsed.problem}`);
  const repeated = headers[nameHeader];
  if (repeated !== undefined && repeated !== name)
    throw new GrpcError("INVALID_ARGUMENT", `the header ${nameHeader} is not ${shown}`);
  return parsed;
}
