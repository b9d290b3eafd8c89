import type { ServerResponse } from "node:http";
import { type Identity, isAllowed } from "../access-policy.ts";
import type { ArtifactOptions } from "../artifact-options.ts";
import { bodyChunks, announcedLength } from "../receive-body.ts";
import { findReadable } from "../find-readable.ts";
import { countArtifacts } from "../count-artifacts.ts";
import type { Exchange, FrontEnd, Route } from "../front-end.ts";
import type { RequestTarget } from "../request-target.ts";
import { isSound, sendBlob } from "../send-blob.ts";
import { ownNamespace } from "../own-namespace.ts";
import { nxArchiveProblem } from "./check-nx-archive.ts";
import { durationOf, noteDurations } from "./durations.ts";
import { keyPattern } from "./key-pattern.ts";
import { within } from "./within.ts";

const protocol = "nx";

/** An answer must have begun so long after the last byte of the request (ms): Nx' client itself waits for ever, and the connection is cut after a minute. */
export interface NxDeadlines {
  readonly readMs: number;
  readonly writeMs: number;
}
const usualDeadlines: NxDeadlines = { readMs: 30_000, writeMs: 50_000 };

/**
 * Nx' self-hosted cache, `/v1/cache/{hash}` below any path prefix. Its client is fail-closed: whatever it does not expect ends the build, even that of a task
 * that succeeded. So there are only these answers (reference/nx.md 1.3): reading 200, 404, and 401 for who is not known; writing 200, 401,
 * 403 for all that is not stored, whatever the reason, and 409 for what is there already. What fails here is a miss, a line, and a counter.
 */
export function createNxFrontEnd(
  options: ArtifactOptions,
  deadlines: NxDeadlines = usualDeadlines,
): FrontEnd {
  return {
    name: protocol,
    route: (method, target) => findRoute(options, deadlines, method, target),
    routeUnreadable(method, path) {
      if (!/\/v1\/cache\/[^/]*$/.test(path)) return undefined;
      const handle = ({ response }: Exchange): void =>
        answer(response, method === "PUT" ? 403 : 404, "");
      return { name: method === "PUT" ? "put" : "get", handle };
    },
    fail({ request, response }, error) {
      options.onTrouble?.(error instanceof Error ? error.message : String(error));
      if (request.method === "PUT") answer(response, 403, "The cache cannot store this now.");
      else answer(response, 404, "");
    },
  };
}

function findRoute(
  options: ArtifactOptions,
  deadlines: NxDeadlines,
  method: string,
  { segments }: RequestTarget,
): Route | undefined {
  const [cache, hash] = segments.slice(-2);
  if (method === "POST" && cache === "v1" && hash === "durations")
    return { name: "durations", handle: (exchange) => noteDurations(options, exchange) };
  if (cache !== "cache" || segments.at(-3) !== "v1" || hash === undefined) return undefined;
  if (method === "PUT")
    return {
      name: "put",
      handle: (exchange) =>
        within(exchange, deadlines.writeMs, (inTime) => put(options, inTime, hash)),
    };
  return {
    name: "get",
    handle: (exchange) =>
      within(exchange, deadlines.readMs, (inTime) => get(options, inTime, hash)),
  };
}

/** Exactly this type, without a charset: with any other the client does not show the text of a 401, and fails with its own. */
function answer(response: ServerResponse, status: number, text: string): void {
  const bytes = Buffer.from(text);
  response.writeHead(status, { "content-type": "text/plain", "content-length": bytes.length });
  response.end(bytes);
}

function refuseStranger(response: ServerResponse): void {
  answer(response, 401, "Unauthorized: this cache does not know the access token.");
}

async function get(options: ArtifactOptions, exchange: Exchange, hash: string): Promise<void> {
  const { response, identity, signal } = exchange;
  if (identity === undefined) return refuseStranger(response);
  const { artifacts, metrics } = options;
  const counts = countArtifacts(metrics, protocol);
  const record = await findKey(options, identity, hash, signal);
  if (record === undefined) {
    counts.read("miss");
    return answer(response, 404, "");
  }
  if (await isSound(artifacts.blobs, record.blob, signal)) {
    const durationMs = durationOf(record);
    response.setHeader("content-type", "application/octet-stream");
    response.setHeader("content-length", record.blob.sizeBytes);
    if (durationMs !== undefined) response.setHeader("x-artifact-duration", durationMs);
    if (await sendBlob(response, artifacts.blobs, record.blob, signal)) {
      counts.sent(record.blob.sizeBytes);
      return;
    }
  }
  counts.read("damaged");
  response.removeHeader("content-length");
  answer(response, 404, "");
}

/** A name that is none, and a token that may not read, are misses: the client takes nothing else. */
async function findKey(
  { artifacts }: ArtifactOptions,
  identity: Identity,
  name: string,
  signal: AbortSignal,
) {
  if (!keyPattern.test(name) || !identity.scopes.includes("read")) return undefined;
  const namespace = ownNamespace(identity);
  return findReadable(artifacts.find, { identity, namespace }, { protocol, name }, signal);
}

async function put(options: ArtifactOptions, exchange: Exchange, hash: string): Promise<void> {
  const { request, response, identity, signal } = exchange;
  if (identity === undefined) return refuseStranger(response);
  const { artifacts, metrics, maxArtifactBytes } = options;
  const namespace = ownNamespace(identity);
  const counts = countArtifacts(metrics, protocol);
  const refuse = (status: 403 | 409, text: string): void => {
    counts.write(status === 409 ? "present" : "refused");
    answer(response, status, text);
  };
  if (!isAllowed(identity, "write", namespace)) return refuse(403, "This token may only read.");
  if (!keyPattern.test(hash)) return refuse(403, "This is not a key.");
  const length = announcedLength(request, maxArtifactBytes);
  if (length.kind !== "length") return refuse(403, "It is too large, or does not say how large.");
  const name = { protocol, namespace, name: hash };
  if ((await artifacts.find(name, signal)) !== undefined) return refuse(409, "");
  const blob = await artifacts.blobs.ingest(bodyChunks(request), signal);
  const problem = await nxArchiveProblem(artifacts.blobs.read(blob, { signal }));
  if (problem !== undefined) return refuse(403, `The archive is not stored: ${problem}.`);
  const about = { headers: {}, writer: identity.name };
  const publication = await artifacts.publishOnce(name, blob, about, signal);
  if (publication === "present") return refuse(409, "");
  if (publication === "unkept") return refuse(403, "What is signed here is not trusted here.");
  counts.stored(blob.sizeBytes);
  response.writeHead(200, { "content-length": 0 });
  response.end();
}
