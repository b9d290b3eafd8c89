import type { ActionResult } from "@cuenv/reapi/messages";
import { GrpcError } from "../grpc/grpc-status.ts";
import { referenceOfWire } from "./wire-digest.ts";

/** Whether a result can be stored: what it names is named as it must be. @throws {GrpcError} INVALID_ARGUMENT */
export function assertResult(result: ActionResult): void {
  for (const { path, digest, contents } of result.outputFiles) {
    assertPath(path, "an output file");
    if (digest !== undefined || contents.length === 0) referenceOfWire(digest, path);
  }
  for (const { path, treeDigest, rootDirectoryDigest } of result.outputDirectories) {
    // The empty path is the working directory itself.
    if (path !== "") assertPath(path, "an output directory");
    referenceOfWire(treeDigest ?? rootDirectoryDigest, `output directory ${path}`);
  }
  const links = [
    ...result.outputSymlinks,
    ...result.outputFileSymlinks,
    ...result.outputDirectorySymlinks,
  ];
  for (const { path, target } of links) {
    assertPath(path, "an output link");
    if (target === "" || target.includes("\0"))
      throw new GrpcError("INVALID_ARGUMENT", `output link ${path} has no target`);
  }
  for (const digest of [result.stdoutDigest, result.stderrDigest])
    if (digest !== undefined) referenceOfWire(digest, "a stream");
}

function assertPath(path: string, what: string): void {
  if (path !== "" && !path.startsWith("/") && !path.includes("\0")) return;
  const found = JSON.stringify(path.slice(0, 200));
  throw new GrpcError("INVALID_ARGUMENT", `the path of ${what} is ${found}, which is not relative`);
}
