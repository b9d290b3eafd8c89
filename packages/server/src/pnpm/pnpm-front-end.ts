import type { Scope } from "../access-policy.ts";
import type { Admitted } from "../find-readable.ts";
import type { Exchange, FrontEnd } from "../front-end.ts";
import { admit } from "../key-value/admit.ts";
import { createKeyValueFrontEnd } from "../key-value/key-value-front-end.ts";
import type { ArtifactOptions } from "../artifact-options.ts";
import { answerText } from "../operations-front-end.ts";
import { namespaceOf } from "../turborepo/team-namespace.ts";

const keyPattern = /^[0-9a-f]{64}$/;

/**
 * The task cache of pnpm 12, `/pnpm/v8/artifacts/<64 hex>` (recorded of 12.21.0: reference/ecosystem.md 4.3): Turborepo's paths and team, none of its
 * headers, batches or events. A result is a signed envelope under its task's key, a manifest, and a blob for each file; pnpm checks all of them.
 * To it every answer but 2xx and 404 is a warning for each task; it then runs the task.
 */
export function createPnpmFrontEnd(options: ArtifactOptions): FrontEnd {
  return createKeyValueFrontEnd(options, {
    name: "pnpm",
    prefix: "pnpm",
    nameOf: ([version, artifacts, key = "", ...more]) =>
      version === "v8" && artifacts === "artifacts" && keyPattern.test(key) && more.length === 0
        ? key
        : undefined,
    admit: admitTeam,
  });
}

/** The team that is named as Turborepo's clients name theirs. */
function admitTeam(exchange: Exchange, scope: Scope): Admitted | undefined {
  const namespace = namespaceOf(exchange.target.query, exchange.identity);
  if (namespace !== undefined) return admit(exchange, scope, namespace);
  answerText(exchange.response, 400, "a team is letters, digits, `.`, `_` and `-`\n");
  return undefined;
}
