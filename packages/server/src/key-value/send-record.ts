import type { ArtifactRecord } from "@cuenv/action-cache";
import type { Exchange } from "../front-end.ts";
import { answerText } from "../operations-front-end.ts";
import { sendBlob } from "../send-blob.ts";
import type { KeyValueOptions } from "./key-value-options.ts";

/** Answers GET and HEAD with what was found, or with a 404 where nothing was. */
export async function sendRecord(
  { artifacts, metrics }: KeyValueOptions,
  { request, response, signal }: Exchange,
  protocol: string,
  record: ArtifactRecord | undefined,
): Promise<void> {
  const isHead = request.method === "HEAD";
  const count = (outcome: string): void => {
    if (!isHead) metrics.count("cuenv_server_artifact_reads_total", { protocol, outcome });
  };
  if (record === undefined) {
    count("miss");
    return answerText(response, 404, "there is no such artifact\n");
  }
  response.setHeader("content-type", "application/octet-stream");
  response.setHeader("content-length", record.blob.sizeBytes);
  if (isHead) return void response.end();
  if (await sendBlob(response, artifacts.blobs, record.blob, signal)) {
    count("hit");
    metrics.count("cuenv_server_sent_bytes_total", { protocol }, record.blob.sizeBytes);
    return;
  }
  count("damaged");
  answerText(response, 404, "there is no such artifact any more\n");
}
