import { CuenvError } from "@cuenv/errors";
import { GrpcError } from "../grpc/grpc-status.ts";
import { isStoreFull } from "../is-store-full.ts";

/**
 * What a client is told of an error of a store: its own fault, an absence, or that it may try again. Undefined: it is none that a store
 * should have.
 */
export function asStoreFailure(
  error: unknown,
  onTrouble?: (message: string) => void,
): GrpcError | undefined {
  if (error instanceof GrpcError) return error;
  if (!(error instanceof CuenvError)) return undefined;
  switch (error.code) {
    case "CAS_BLOB_NOT_FOUND":
    case "CAS_BLOB_CORRUPT":
      return new GrpcError("NOT_FOUND", "the blob is not here", error);
    case "CAS_RANGE_INVALID":
      return new GrpcError("OUT_OF_RANGE", "the range begins behind the end of the blob", error);
    case "CAS_DIGEST_MISMATCH":
    case "DIGEST_INVALID":
    case "REAPI_MESSAGE_INVALID":
    case "AC_NAMESPACE_INVALID":
      return new GrpcError("INVALID_ARGUMENT", error.message, error);
    case "CAS_STORE_UNAVAILABLE":
    case "AC_STORE_UNAVAILABLE":
      onTrouble?.(error.message);
      return isStoreFull(error)
        ? new GrpcError("RESOURCE_EXHAUSTED", "the cache is full", error)
        : new GrpcError("UNAVAILABLE", "the cache cannot do this now", error);
    default:
      return undefined;
  }
}
