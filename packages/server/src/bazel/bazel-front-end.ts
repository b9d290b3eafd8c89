import type { FrontEnd, Route } from "../front-end.ts";
import type { ArtifactOptions } from "../artifact-options.ts";
import { answerText } from "../operations-front-end.ts";
import { getActionResult, putActionResult } from "./action-routes.ts";
import { getContent, putContent } from "./content-routes.ts";

const hashPattern = /^[0-9a-f]{64}$/;
const instancePattern = /^(?!\.{1,2}$)[\w.@+:-]{1,128}$/;
const maxInstanceSegments = 16;

/**
 * Bazel's HTTP cache, `/bazel[/<instance>]/ac|cas/<64 hex>` (reference/reapi.md 1.7, 4.1), for Bazel, Buck2 and whoever speaks it. 200 and 404 for reading, any 2xx for writing; every other
 * answer is a warning to Bazel, which builds on. Of an instance are its action results; contents are their digests, of either function, and the same in all.
 */
export function createBazelFrontEnd(options: ArtifactOptions): FrontEnd {
  return {
    name: "bazel",
    route(method, { segments }) {
      const [prefix, ...rest] = segments;
      return prefix === "bazel" ? findRoute(options, method, rest) : undefined;
    },
    fail({ response }, error) {
      options.onTrouble?.(error instanceof Error ? error.message : String(error));
      answerText(response, 503, "the cache cannot do this now\n");
    },
  };
}

function findRoute(options: ArtifactOptions, method: string, segments: readonly string[]): Route {
  const [kind = "", hash = ""] = segments.slice(-2);
  const instance = segments.slice(0, -2);
  const isInstance =
    instance.length <= maxInstanceSegments && instance.every((name) => instancePattern.test(name));
  const isRead = method === "GET" || method === "HEAD";
  if (!isInstance || !hashPattern.test(hash) || (kind !== "ac" && kind !== "cas"))
    return refusal(isRead ? 404 : 400, "the path is not [<instance>/]ac|cas/<64 hex digits>\n");
  if (!isRead && method !== "PUT") return refusal(405, "use GET, HEAD or PUT\n");
  const name = `${kind}/${method === "PUT" ? "put" : "get"}`;
  if (kind === "cas") {
    const serve = isRead ? getContent : putContent;
    return { name, handle: (exchange) => serve(options, exchange, hash) };
  }
  const serve = isRead ? getActionResult : putActionResult;
  return { name, handle: (exchange) => serve(options, exchange, [...instance, hash].join("/")) };
}

function refusal(status: number, text: string): Route {
  return {
    name: "invalid",
    handle({ response }) {
      if (status === 405) response.setHeader("allow", "GET, HEAD, PUT");
      answerText(response, status, text);
    },
  };
}
