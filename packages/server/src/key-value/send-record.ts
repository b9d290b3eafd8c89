import type { ArtifactRecord } from "@cuenv/action-cache";
import { countArtifacts } from "../count-artifacts.ts";
import type { Exchange } from "../front-end.ts";
import { answerText } from "../operations-front-end.ts";
import { sendBlob } from "../send-blob.ts";
import type { ArtifactOptions } from "../artifact-options.ts";

/** Answers GET and HEAD with what was found, or with a 404 where nothing was. */
export async function sendRecord(
  { artifacts, metrics }: ArtifactOptions,
  { request, response, signal }: Exchange,
  protocol: string,
  record: ArtifactRecord | undefined,
): Promise<void> {
  const isHead = request.method === "HEAD";
  const counts = countArtifacts(metrics, protocol);
  if (record === undefined) {
    if (!isHead) counts.read("miss");
    return answerText(response, 404, "there is no such artifact\n");
  }
  response.setHeader("content-type", "application/octet-stream");
  response.setHeader("content-length", record.blob.sizeBytes);
  if (isHead) return void response.end();
  if (await sendBlob(response, artifacts.blobs, record.blob, signal)) {
    counts.sent(record.blob.sizeBytes);
    return;
  }
  counts.read("damaged");
  answerText(response, 404, "there is no such artifact any more\n");
}
