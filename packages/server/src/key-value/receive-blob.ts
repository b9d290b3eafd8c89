import type { Digest } from "@cuenv/digest";
import type { Exchange } from "../front-end.ts";
import { answerText } from "../operations-front-end.ts";
import { announcedLength, bodyChunks } from "../receive-body.ts";
import type { ArtifactOptions } from "../artifact-options.ts";

/**
 * Stores the body of a request as a blob that nothing names yet. Undefined when it was refused, before its first byte is read: 411 without a
 * length, 413 when it is too large (to Gradle the one refusal that is no error), 415 when it is compressed, since it would be given back without saying so.
 * @throws when the client goes away before the end, and {CuenvError} CAS_STORE_UNAVAILABLE
 */
export async function receiveBlob(
  { artifacts, maxArtifactBytes }: Pick<ArtifactOptions, "artifacts" | "maxArtifactBytes">,
  { request, response, signal }: Exchange,
): Promise<Digest | undefined> {
  const length = announcedLength(request, maxArtifactBytes);
  if (length.kind === "lengthRequired") {
    answerText(response, 411, "Content-Length is needed\n");
    return undefined;
  }
  if (length.kind === "tooLarge") {
    answerText(response, 413, `an artifact has at most ${maxArtifactBytes} bytes\n`);
    return undefined;
  }
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    answerText(response, 415, "Content-Encoding is not taken\n");
    return undefined;
  }
  return artifacts.blobs.ingest(bodyChunks(request), signal);
}
