import { isNamespace } from "@cuenv/action-cache";
import type { Identity } from "../access-policy.ts";
import { defaultNamespace, ownNamespace } from "../own-namespace.ts";

/**
 * The namespace of a request. turbo sends `teamId` (TURBO_TEAMID), `slug` (TURBO_TEAM), both or neither. A team id must begin with `team_` to be sent at all,
 * which is no part of the name: so one team has one namespace, whichever way it is named. Where both are sent and differ, the one that the
 * token is bound to counts, and otherwise the id. A pull request names the team as main does: its token says where it writes.
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
  if (identity === undefined) return names[0] ?? defaultNamespace;
  const own = identity.namespaces === "*" ? [] : identity.namespaces;
  const [first] = names;
  if (first === undefined) return own.length === 1 ? own[0] : ownNamespace(identity);
  const named = names.find((name) => own.includes(name));
  if (named !== undefined) return named;
  const isReadThrough = names.some((name) => identity.readsThrough?.includes(name) === true);
  return isReadThrough ? ownNamespace(identity) : first;
}
