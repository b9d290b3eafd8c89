import type { Scope } from "../access-policy.ts";
import { type Admitted, isLetIn } from "../find-readable.ts";
import type { Exchange } from "../front-end.ts";
import { answerText } from "../operations-front-end.ts";
import { ownNamespace } from "../own-namespace.ts";

/**
 * Who asks, and in which namespace: the token's own, or `namespace` where the protocol can name one. Undefined when that was answered with
 * a refusal: 401 with a challenge where a token would help (clients that send their password only when asked for it repeat the request), 403
 * where the one presented is known and may not.
 */
export function admit(exchange: Exchange, scope: Scope, namespace?: string): Admitted | undefined {
  const { request, response, identity } = exchange;
  const isStranger = identity === undefined;
  const own = isStranger ? undefined : (namespace ?? ownNamespace(identity));
  if (isStranger || own === undefined || !isLetIn(identity, scope, own)) {
    if (isStranger || request.headers.authorization === undefined) {
      response.setHeader("www-authenticate", 'Basic realm="cuenv", charset="UTF-8"');
      answerText(response, 401, "a token is needed that this cache knows\n");
    } else answerText(response, 403, `this token may not ${scope} here\n`);
    return undefined;
  }
  response.setHeader("cache-control", "no-store");
  return { identity, namespace: own };
}
