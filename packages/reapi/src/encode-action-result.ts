import type {
  ActionResult,
  AnyMessage,
  ExecutionMetadata,
  OutputDirectory,
  OutputFile,
  OutputSymlink,
} from "./canonical-messages.ts";
import { sortUnique } from "./canonical-order.ts";
import { writeDigest } from "./encode-directory.ts";
import {
  encodeMessage,
  writeBoolean,
  writeBytes,
  writeInteger,
  writeMessage,
  writeString,
} from "./wire-writer.ts";

const pathOf = (output: { readonly path: string }): string => output.path;

function writeOutputFile(file: OutputFile): void {
  writeString(1, file.path);
  writeMessage(2, file.digest, writeDigest);
  writeBoolean(4, file.executable);
}

function writeOutputDirectory(directory: OutputDirectory): void {
  writeString(1, directory.path);
  writeMessage(3, directory.treeDigest, writeDigest);
  writeBoolean(4, directory.topologicallySorted);
  if (directory.rootDirectoryDigest !== undefined) {
    writeMessage(5, directory.rootDirectoryDigest, writeDigest);
  }
}

function writeOutputSymlink(link: OutputSymlink): void {
  writeString(1, link.path);
  writeString(2, link.target);
}

/** google.protobuf.Timestamp: nanoseconds are counted forward, also before 1970. */
function writeTimestamp(milliseconds: number): void {
  const seconds = Math.floor(milliseconds / 1000);
  writeInteger(1, seconds);
  writeInteger(2, Math.min(999_999_999, Math.round((milliseconds - seconds * 1000) * 1_000_000)));
}

function writeAny(any: AnyMessage): void {
  writeString(1, any.typeUrl);
  writeBytes(2, any.value);
}

function writeExecutionMetadata(metadata: ExecutionMetadata): void {
  writeString(1, metadata.worker);
  const times: readonly (readonly [field: number, milliseconds: number | undefined])[] = [
    [2, metadata.queuedMs],
    [3, metadata.workerStartMs],
    [4, metadata.workerCompletedMs],
    [7, metadata.executionStartMs],
    [8, metadata.executionCompletedMs],
  ];
  for (const [field, milliseconds] of times) {
    if (milliseconds !== undefined) writeMessage(field, milliseconds, writeTimestamp);
  }
  for (const any of metadata.auxiliary ?? []) writeMessage(11, any, writeAny);
}

/**
 * The canonical bytes of an `ActionResult`: outputs sorted by path.
 * @throws {CuenvError} REAPI_MESSAGE_INVALID when a path is there twice, or a text is not Unicode.
 */
export function encodeActionResult(result: ActionResult): Uint8Array {
  return encodeMessage(() => {
    for (const file of sortUnique(result.outputFiles, pathOf, "output files")) {
      writeMessage(2, file, writeOutputFile);
    }
    for (const directory of sortUnique(result.outputDirectories, pathOf, "output directories")) {
      writeMessage(3, directory, writeOutputDirectory);
    }
    writeInteger(4, result.exitCode);
    if (result.stdoutRaw !== undefined) writeBytes(5, result.stdoutRaw);
    if (result.stdoutDigest !== undefined) writeMessage(6, result.stdoutDigest, writeDigest);
    if (result.stderrRaw !== undefined) writeBytes(7, result.stderrRaw);
    if (result.stderrDigest !== undefined) writeMessage(8, result.stderrDigest, writeDigest);
    if (result.executionMetadata !== undefined) {
      writeMessage(9, result.executionMetadata, writeExecutionMetadata);
    }
    for (const link of sortUnique(result.outputSymlinks, pathOf, "output symlinks")) {
      writeMessage(12, link, writeOutputSymlink);
    }
  });
}
