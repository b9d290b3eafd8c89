import type { Digest } from "@cuenv/digest";
import type { Identity, Scope } from "../access-policy.ts";
import type { ArtifactName } from "../artifact-store.ts";
import { type Admitted, findReadable, isLetIn } from "../find-readable.ts";
import { countArtifacts } from "../count-artifacts.ts";
import type { Exchange } from "../front-end.ts";
import { announcedLength, bodyChunks } from "../receive-body.ts";
import { sendBlob } from "../send-blob.ts";
import { answerError, answerJson } from "./answers.ts";
import { artifactHeaders, readArtifactHeaders } from "./artifact-headers.ts";
import { createTagCheck, type TagCheck } from "./artifact-tag.ts";
import { namespaceOf } from "./team-namespace.ts";
import type { TurborepoOptions } from "./turborepo-front-end.ts";

export const protocol = "turborepo";

/** Who asks, and of which team; undefined when that was answered with a refusal. */
export function admit(exchange: Exchange, scope: Scope): Admitted | undefined {
  const { response, identity, target } = exchange;
  const namespace = namespaceOf(target.query, identity);
  if (identity === undefined) {
    answerError(response, 403, "forbidden", "the token is not known here");
    return undefined;
  }
  if (namespace === undefined) {
    answerError(response, 400, "bad_request", "a team is letters, digits, `.`, `_` and `-`");
    return undefined;
  }
  if (!isLetIn(identity, scope, namespace)) {
    answerError(
      response,
      403,
      "forbidden",
      `this token may not ${scope} artifacts of ${namespace}`,
    );
    return undefined;
  }
  response.setHeader("cache-control", "no-store");
  return { identity, namespace };
}

export async function getArtifact(
  options: TurborepoOptions,
  exchange: Exchange,
  hash: string,
): Promise<void> {
  const { request, response, signal } = exchange;
  const admitted = admit(exchange, "read");
  if (admitted === undefined) return;
  const { artifacts, metrics } = options;
  const find = request.method === "HEAD" ? artifacts.describe : artifacts.find;
  const record = await findReadable(find, admitted, { protocol, name: hash }, signal);
  const counts = countArtifacts(metrics, protocol);
  if (record === undefined) {
    counts.read("miss");
    answerError(response, 404, "not_found", "there is no such artifact");
    return;
  }
  const headers = {
    "content-type": "application/octet-stream",
    "content-length": String(record.blob.sizeBytes),
    ...artifactHeaders(record.headers),
  };
  for (const [header, value] of Object.entries(headers)) response.setHeader(header, value);
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  if (await sendBlob(response, artifacts.blobs, record.blob, signal)) {
    counts.sent(record.blob.sizeBytes);
    return;
  }
  counts.read("damaged");
  for (const header of Object.keys(headers)) response.removeHeader(header);
  answerError(response, 404, "not_found", "there is no such artifact any more");
}

export async function putArtifact(
  options: TurborepoOptions,
  exchange: Exchange,
  hash: string,
): Promise<void> {
  const { request, response, signal } = exchange;
  const admitted = admit(exchange, "write");
  if (admitted === undefined) return;
  const length = announcedLength(request, options.maxArtifactBytes);
  if (length.kind === "lengthRequired")
    return answerError(response, 411, "length_required", "Content-Length is needed");
  if (length.kind === "tooLarge") {
    const most = `an artifact has at most ${options.maxArtifactBytes} bytes`;
    return answerError(response, 413, "too_large", most);
  }
  const headers = readArtifactHeaders(request.headers);
  if ("odd" in headers)
    return answerError(
      response,
      400,
      "bad_request",
      `the value of ${headers.odd} is not understood`,
    );
  const name = { protocol, namespace: admitted.namespace, name: hash };
  const check = tagCheckOf(options, exchange, name, length.sizeBytes);
  const blob = await options.artifacts.blobs.ingest(bodyOf(exchange, check), signal);
  await publish(options, exchange, { name, blob, check, headers: headers.values, ...admitted });
}

interface Received {
  readonly name: ArtifactName;
  readonly blob: Digest;
  readonly check: TagCheck | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly identity: Identity;
}

async function publish(
  options: TurborepoOptions,
  exchange: Exchange,
  received: Received,
): Promise<void> {
  const { name, blob, headers, identity } = received;
  const counts = countArtifacts(options.metrics, protocol);
  const problem = tagProblem(options, received);
  if (problem !== undefined) {
    counts.write("refused");
    return answerError(exchange.response, 403, "forbidden", problem);
  }
  await options.artifacts.publish(name, blob, { headers, writer: identity.name }, exchange.signal);
  counts.stored(blob.sizeBytes);
  answerJson(exchange.response, 202, { urls: [] });
}

function tagCheckOf(
  options: TurborepoOptions,
  { target }: Exchange,
  { namespace, name }: ArtifactName,
  sizeBytes: number,
): TagCheck | undefined {
  const policy = options.tags?.get(namespace);
  const teamId = target.query.get("teamId") ?? "";
  return policy && createTagCheck({ key: policy.key, hash: name, teamId, sizeBytes });
}

function tagProblem(options: TurborepoOptions, received: Received): string | undefined {
  const policy = options.tags?.get(received.name.namespace);
  if (policy === undefined || received.check === undefined) return undefined;
  const { tag } = received.headers as { readonly tag?: string };
  if (tag === undefined)
    return policy.required ? "artifacts of this team must be signed" : undefined;
  return received.check.matches(tag)
    ? undefined
    : "the artifact's signature is not that of this team's key";
}

async function* bodyOf(
  { request }: Exchange,
  check: TagCheck | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bodyChunks(request)) {
    check?.update(chunk);
    yield chunk;
  }
}
