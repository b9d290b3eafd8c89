import type { Exchange, FrontEnd, Route } from "../front-end.ts";
import { admit } from "../key-value/admit.ts";
import { createKeyValueFrontEnd } from "../key-value/key-value-front-end.ts";
import type { ArtifactOptions } from "../artifact-options.ts";
import { answerText } from "../operations-front-end.ts";
import { describeCollection } from "./describe-collection.ts";

const namePattern = /^(?!\.{1,2}$)[\w.@+-]{1,128}$/;
const maxSegments = 16;
/** What sccache reads and writes when it starts, to learn what it may do. */
const checkName = ".sccache_check";
/** The last segment of an artifact; whatever else is below `/sccache` is a folder on the way to one. */
const keyPattern = /^[0-9a-f]{64}$/;

/**
 * sccache over WebDAV, `/sccache[/<prefix>]/a/b/c/<64 hex>` (recorded of 0.17.0: reference/reapi.md 4.1). Its start reads a check file and then writes one. Reading: 404 is
 * fine, and any error but that ends sccache, and the build with it: so a store that fails is a miss of the check file, and 503, which sccache counts and
 * compiles, everywhere else. Who is not known is told with 401: sccache then ends with that message. Writing: any error has it go on as one that only reads.
 * Every folder exists (PROPFIND 207): with 404 the client asks for each level and makes it, for every artifact; with 405 it never writes.
 */
export function createSccacheFrontEnd(options: ArtifactOptions): FrontEnd {
  const frontEnd = createKeyValueFrontEnd(options, {
    name: "sccache",
    prefix: "sccache",
    nameOf: (segments) =>
      isPath(segments) && isArtifact(segments) ? segments.join("/") : undefined,
    route: folderRoute,
  });
  return {
    ...frontEnd,
    fail(exchange, error) {
      const { request, response, target } = exchange;
      if (request.method === "PUT" || target.segments.at(-1) !== checkName)
        return frontEnd.fail(exchange, error);
      options.onTrouble?.(error instanceof Error ? error.message : String(error));
      answerText(response, 404, "there is no such artifact\n");
    },
  };
}

function isPath(segments: readonly string[]): boolean {
  return segments.length <= maxSegments && segments.every((name) => namePattern.test(name));
}

function isArtifact(segments: readonly string[]): boolean {
  const name = segments.at(-1) ?? "";
  return name === checkName || keyPattern.test(name);
}

/** The methods of WebDAV that are about folders. */
function folderRoute(method: string, segments: readonly string[]): Route | undefined {
  if (method !== "PROPFIND" && method !== "MKCOL") return undefined;
  const isFolder = isPath(segments) && !isArtifact(segments);
  const name = method === "MKCOL" ? "make-folder" : "folder";
  return {
    name,
    handle(exchange) {
      const { response } = exchange;
      if (admit(exchange, method === "MKCOL" ? "write" : "read") === undefined) return;
      if (!isFolder) return answerText(response, 404, "there is no such folder\n");
      if (method === "MKCOL") return answerText(response, 201, "");
      answerFolder(exchange);
    },
  };
}

function answerFolder({ request, response }: Exchange): void {
  const [path = "/"] = (request.url ?? "").split("?");
  answerText(response, 207, describeCollection(path), "application/xml; charset=utf-8");
}
