import type { ArtifactOptions } from "../artifact-options.ts";
import type { Exchange, FrontEnd, Route } from "../front-end.ts";
import type { RequestTarget } from "../request-target.ts";
import { accountRoute } from "./account-routes.ts";
import { allowedHeaders } from "./artifact-headers.ts";
import { answerError, answerJson } from "./answers.ts";
import { isStoreFull } from "../is-store-full.ts";
import { getArtifact, putArtifact } from "./artifact-routes.ts";
import { queryArtifacts, recordEvents } from "./batch-routes.ts";

/** How the tags of a team's artifacts are treated. */
export interface TagPolicy {
  /** The team's TURBO_REMOTE_CACHE_SIGNATURE_KEY. */
  readonly key: string;
  /** Whether an artifact without a tag is refused. */
  readonly required: boolean;
}

export interface TurborepoOptions extends ArtifactOptions {
  /** By namespace; of a team that is not there, tags are stored and not looked at. */
  readonly tags?: ReadonlyMap<string, TagPolicy>;
}

const hashPattern = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * Turborepo's remote-cache protocol (reference/turbo.md 1), below any path prefix. The answers are those that make the real client behave well: a
 * backend that fails is 503, never a miss; who may not is 403 `forbidden`, which ends the client's attempts with one warning. A full disk is 403 `remote_caching_over_limit`,
 * which ends its uploads with one warning: of 503 it has one for each artifact, and after three it stops reading as well.
 */
export function createTurborepoFrontEnd(options: TurborepoOptions): FrontEnd {
  return {
    name: "turborepo",
    route: (method, target) =>
      artifactsRoute(options, method, target) ?? accountRoute(method, target),
    fail(exchange, error) {
      options.onTrouble?.(error instanceof Error ? error.message : String(error));
      if (exchange.request.method === "PUT" && isStoreFull(error))
        return answerError(
          exchange.response,
          403,
          "remote_caching_over_limit",
          "the cache is full",
        );
      answerError(exchange.response, 503, "unavailable", "the cache cannot do this now");
    },
  };
}

function artifactsRoute(
  options: TurborepoOptions,
  method: string,
  { segments }: RequestTarget,
): Route | undefined {
  const start = segments.findIndex(
    (segment, index) => segment === "v8" && segments[index + 1] === "artifacts",
  );
  if (start < 0) return undefined;
  const rest = segments.slice(start + 2);
  if (method === "OPTIONS") return { name: "preflight", handle: preflight };
  const [name, ...more] = rest;
  if (more.length > 0) return nothingThere;
  if (name === undefined)
    return method === "POST"
      ? { name: "query", handle: (exchange) => queryArtifacts(options, exchange) }
      : wrongMethod("POST");
  if (name === "status" && method === "GET") return { name: "status", handle: status };
  if (name === "events" && method === "POST")
    return { name: "events", handle: (exchange) => recordEvents(options, exchange) };
  if (!hashPattern.test(name)) return invalidHash;
  switch (method) {
    case "GET":
    case "HEAD":
      return { name: "get", handle: (exchange) => getArtifact(options, exchange, name) };
    case "PUT":
      return { name: "put", handle: (exchange) => putArtifact(options, exchange, name) };
    default:
      return wrongMethod("GET, HEAD, PUT");
  }
}

function status({ response, identity }: Exchange): void {
  if (identity === undefined)
    answerError(response, 403, "forbidden", "the token is not known here");
  else answerJson(response, 200, { status: "enabled" });
}

/** Without `Authorization` in the list the client goes on without its token. No origin is allowed: the client has none, and a web page is not to write here. */
function preflight({ response }: Exchange): void {
  response.writeHead(200, {
    "access-control-allow-methods": "GET, HEAD, PUT, POST",
    "access-control-allow-headers": allowedHeaders,
    "content-length": 0,
  });
  response.end();
}

const nothingThere: Route = {
  name: "unknown",
  handle: ({ response }) => answerError(response, 404, "not_found", "there is no such path"),
};

const invalidHash: Route = {
  name: "invalid",
  handle: ({ response }) =>
    answerError(response, 400, "bad_request", "a hash is 1 to 128 letters, digits, `-` and `_`"),
};

function wrongMethod(allow: string): Route {
  return {
    name: "invalid",
    handle({ response }) {
      response.setHeader("allow", allow);
      answerError(response, 405, "method_not_allowed", `use ${allow}`);
    },
  };
}
