import { type Admitted, findReadable } from "../find-readable.ts";
import type { Scope } from "../access-policy.ts";
import { countArtifacts } from "../count-artifacts.ts";
import type { Exchange, FrontEnd, Route } from "../front-end.ts";
import { answerText } from "../operations-front-end.ts";
import { admit } from "./admit.ts";
import type { ArtifactOptions } from "../artifact-options.ts";
import { receiveBlob } from "./receive-blob.ts";
import { sendRecord } from "./send-record.ts";

/** A protocol that puts, gets and deletes opaque bytes by name, below one first segment of the path. */
export interface KeyValueProtocol {
  /** Of its artifacts; no name of one protocol is that of another. */
  readonly name: string;
  /** The first segment of its paths. */
  readonly prefix: string;
  /** The artifact that a path below the prefix is of; undefined: none that this protocol has. */
  nameOf(segments: readonly string[]): string | undefined;
  /** Who asks and where; undefined when that was refused. Without it: the namespace of the token. */
  admit?(exchange: Exchange, scope: Scope): Admitted | undefined;
  /** Methods of its own. */
  route?(method: string, segments: readonly string[]): Route | undefined;
}

/**
 * GET, HEAD, PUT and DELETE of opaque bytes. The last to write a name wins, each reader gets one version whole. A store that fails is 503, never a miss: these clients
 * go on without a cache then, and say so or log it.
 */
export function createKeyValueFrontEnd(
  options: ArtifactOptions,
  protocol: KeyValueProtocol,
): FrontEnd {
  return {
    name: protocol.name,
    route(method, { segments }) {
      const [prefix, ...rest] = segments;
      if (prefix !== protocol.prefix) return undefined;
      return protocol.route?.(method, rest) ?? findRoute(options, protocol, method, rest);
    },
    fail({ response }, error) {
      options.onTrouble?.(error instanceof Error ? error.message : String(error));
      answerText(response, 503, "the cache cannot do this now\n");
    },
  };
}

function findRoute(
  options: ArtifactOptions,
  protocol: KeyValueProtocol,
  method: string,
  segments: readonly string[],
): Route {
  const name = protocol.nameOf(segments);
  if (name === undefined) return noName;
  const artifact = { protocol, name };
  switch (method) {
    case "GET":
    case "HEAD":
      return { name: "get", handle: (exchange) => get(options, exchange, artifact) };
    case "PUT":
      return { name: "put", handle: (exchange) => put(options, exchange, artifact) };
    case "DELETE":
      return { name: "delete", handle: (exchange) => remove(options, exchange, artifact) };
    default:
      return wrongMethod;
  }
}

const noName: Route = {
  name: "invalid",
  handle({ request, response }) {
    // What cannot have been stored is a miss: the client asks for the next.
    const isRead = request.method === "GET" || request.method === "HEAD";
    answerText(response, isRead ? 404 : 400, "this path is not that of an artifact\n");
  },
};

const wrongMethod: Route = {
  name: "invalid",
  handle({ response }) {
    response.setHeader("allow", "GET, HEAD, PUT, DELETE");
    answerText(response, 405, "use GET, HEAD, PUT or DELETE\n");
  },
};

interface Named {
  readonly protocol: KeyValueProtocol;
  readonly name: string;
}

function enter({ protocol }: Named, exchange: Exchange, scope: Scope): Admitted | undefined {
  return protocol.admit === undefined ? admit(exchange, scope) : protocol.admit(exchange, scope);
}

async function get(options: ArtifactOptions, exchange: Exchange, named: Named): Promise<void> {
  const admitted = enter(named, exchange, "read");
  if (admitted === undefined) return;
  const artifact = { protocol: named.protocol.name, name: named.name };
  const { artifacts } = options;
  const find = exchange.request.method === "HEAD" ? artifacts.describe : artifacts.find;
  const record = await findReadable(find, admitted, artifact, exchange.signal);
  await sendRecord(options, exchange, named.protocol.name, record);
}

async function put(options: ArtifactOptions, exchange: Exchange, named: Named): Promise<void> {
  const admitted = enter(named, exchange, "write");
  if (admitted === undefined) return;
  const protocol = named.protocol.name;
  const counts = countArtifacts(options.metrics, protocol);
  const blob = await receiveBlob(options, exchange);
  if (blob === undefined) return counts.write("refused");
  const { namespace, identity } = admitted;
  const about = { headers: {}, writer: identity.name };
  const name = { protocol, namespace, name: named.name };
  await options.artifacts.publish(name, blob, about, exchange.signal);
  counts.stored(blob.sizeBytes);
  answerText(exchange.response, 201, "");
}

/** Of the namespace that the token writes only: what is read through is not its to delete. */
async function remove(options: ArtifactOptions, exchange: Exchange, named: Named): Promise<void> {
  const admitted = enter(named, exchange, "write");
  if (admitted === undefined) return;
  const artifact = { protocol: named.protocol.name, namespace: admitted.namespace };
  await options.artifacts.remove({ ...artifact, name: named.name }, exchange.signal);
  exchange.response.writeHead(204);
  exchange.response.end();
}
