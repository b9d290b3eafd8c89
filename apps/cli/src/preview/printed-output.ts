import { readBlob, type TaskPreview } from "@cuenv/cache/explanation";
import type { TaskOutputs } from "@cuenv/runner";

/** What a task printed, from its stored result. @throws {CuenvError} CAS_… when it is not there any more */
export async function printedOutput(
  blobs: TaskPreview["blobs"],
  { stdout, stderr }: NonNullable<TaskPreview["result"]>,
): Promise<TaskOutputs> {
  const bytesOf = (digest: typeof stdout): Promise<Uint8Array> | Uint8Array =>
    digest === null ? new Uint8Array() : readBlob(blobs, digest, digest.sizeBytes);
  return { stdout: await bytesOf(stdout), stderr: await bytesOf(stderr), exitCode: 0 };
}
