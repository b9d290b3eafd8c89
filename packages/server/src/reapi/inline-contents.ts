import type { Digest } from "@cuenv/digest";
import type { ActionResult, GetActionResultRequest } from "@cuenv/reapi/messages";
import { GrpcError } from "../grpc/grpc-status.ts";
import { digestOfWire, wireDigest } from "./wire-digest.ts";

/** What is inlined in one answer altogether, at the most (bytes): with the rest it stays below the 4 MiB that clients take. */
const maxInlineBytes = 3 * 1024 * 1024;

/** Puts contents that the client asked for into a result, as far as they fit. `read`: undefined where it cannot be read, which is no reason to fail. */
export async function inlineContents(
  result: ActionResult,
  asked: Pick<GetActionResultRequest, "inlineStdout" | "inlineStderr" | "inlineOutputFiles">,
  read: (digest: Digest) => Promise<Uint8Array | undefined>,
): Promise<void> {
  let left = maxInlineBytes;
  const take = async (digest: Digest): Promise<Uint8Array | undefined> => {
    if (digest.sizeBytes > left) return undefined;
    const bytes = await read(digest);
    left -= bytes?.length ?? 0;
    return bytes;
  };
  if (asked.inlineStdout && result.stdoutDigest !== undefined)
    result.stdoutRaw =
      (await take(digestOfWire(result.stdoutDigest, "stdout"))) ?? result.stdoutRaw;
  if (asked.inlineStderr && result.stderrDigest !== undefined)
    result.stderrRaw =
      (await take(digestOfWire(result.stderrDigest, "stderr"))) ?? result.stderrRaw;
  const paths = new Set(asked.inlineOutputFiles);
  for (const file of result.outputFiles) {
    if (!paths.has(file.path) || file.digest === undefined) continue;
    file.contents = (await take(digestOfWire(file.digest, file.path))) ?? file.contents;
  }
}

/**
 * The other way: what a client inlined becomes blobs, and the result names them. Clients should upload, and some inline instead. What is inlined and
 * named must be the same. @throws {GrpcError} INVALID_ARGUMENT; what `store` throws
 */
export async function storeContents(
  result: ActionResult,
  store: (bytes: Uint8Array) => Promise<Digest>,
): Promise<void> {
  const named = async (
    bytes: Uint8Array,
    digest: ActionResult["stdoutDigest"],
    what: string,
  ): Promise<ReturnType<typeof wireDigest> | undefined> => {
    if (bytes.length === 0) return undefined;
    const found = wireDigest(await store(bytes));
    if (digest === undefined) return found;
    if (digest.hash === found.hash && digest.sizeBytes === found.sizeBytes) return undefined;
    throw new GrpcError("INVALID_ARGUMENT", `${what} has other bytes than its digest says`);
  };
  const stdout = await named(result.stdoutRaw, result.stdoutDigest, "stdout");
  if (stdout !== undefined) result.stdoutDigest = asMessage(stdout);
  const stderr = await named(result.stderrRaw, result.stderrDigest, "stderr");
  if (stderr !== undefined) result.stderrDigest = asMessage(stderr);
  result.stdoutRaw = new Uint8Array();
  result.stderrRaw = new Uint8Array();
  for (const file of result.outputFiles) {
    const digest = await named(file.contents, file.digest, file.path);
    if (digest !== undefined) file.digest = asMessage(digest);
    file.contents = new Uint8Array();
  }
}

function asMessage(
  digest: ReturnType<typeof wireDigest>,
): NonNullable<ActionResult["stdoutDigest"]> {
  return { $typeName: "build.bazel.remote.execution.v2.Digest", ...digest };
}
