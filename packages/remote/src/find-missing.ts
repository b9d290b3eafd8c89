import { type Digest, formatDigest } from "@cuenv/digest";
import {
  ContentAddressableStorage,
  decodeFindMissingResponse,
  digestFunctionValue,
  encodeFindMissingRequest,
} from "@cuenv/reapi/messages";
import { blobFailure } from "./blob-failure.ts";
import type { RemoteConnection } from "./remote-connection.ts";

/** Digests of one question: some 75 bytes each, so that it stays well below the 4 MiB that servers take. */
const maxDigests = 20_000;

/** Those that the remote cache does not have, in the order given. @throws {CuenvError} CAS_STORE_UNAVAILABLE; the signal's reason */
export async function findMissing(
  connection: RemoteConnection,
  digests: readonly Digest[],
  signal: AbortSignal | undefined,
): Promise<readonly Digest[]> {
  const { instanceName, digestFunction } = connection;
  const { findMissingBlobs } = ContentAddressableStorage.method;
  const absent = new Set<string>();
  try {
    await connection.capabilities(signal);
    // Asked before an upload: who may only write must be able to, and who is refused it reads on.
    const access = connection.isUsable("write") ? "write" : "read";
    for (let start = 0; start < digests.length; start += maxDigests) {
      const request = encodeFindMissingRequest({
        instanceName,
        digests: digests.slice(start, start + maxDigests),
        digestFunction: digestFunctionValue[digestFunction],
      });
      const answer = await connection.call(findMissingBlobs, request, { access, signal });
      for (const digest of decodeFindMissingResponse(answer)) absent.add(formatDigest(digest));
    }
  } catch (error) {
    throw blobFailure(error, "find", undefined, signal);
  }
  return digests.filter((digest) => absent.has(formatDigest(digest)));
}
