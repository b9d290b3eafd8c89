import { isNamespace } from "@cuenv/action-cache";
import type { Identity } from "../access-policy.ts";

/** Where those write who name no team, and whose token is not bound to one. */
export const defaultNamespace = "default";

/**
 * The namespace of a request. turbo sends `teamId` (TURBO_TEAMID), `slug` (TURBO_TEAM), both or neither. A team id must begin with `team_` to be sent at all,
 * which is no part of the name: so one team has one namespace, whichever way it is named. Where both are sent and differ, the one that the
 * token is bound to counts, and otherwise the id.
 * @returns undefined when a name is not one.
 */
export function namespaceOf(
  query: URLSearchParams,
  identity: Identity | undefined,
): string | undefined {
  const given = [query.get("teamId"), query.get("slug"), query.get("team")].filter(
    (name) => name !== null && name !== "",
  ) as string[];
  const names = given.map((name) => name.replace(/^team_/, ""));
  if (!names.every(isNamespace)) return undefined;
  const own = identity === undefined || identity.namespaces === "*" ? [] : identity.namespaces;
  const [first] = names;
  if (first === undefined) return own.length === 1 ? own[0] : defaultNamespace;
  return names.find((name) => own.includes(name)) ?? first;
}
