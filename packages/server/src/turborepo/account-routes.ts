import type { Identity } from "../access-policy.ts";
import type { Exchange, Route } from "../front-end.ts";
import type { RequestTarget } from "../request-target.ts";
import { answerError, answerJson } from "./answers.ts";
import { defaultNamespace } from "../own-namespace.ts";
import { askForToken, successPage, takeToken, type WaitsAt } from "./login-page.ts";

/** What `turbo login`, `link` and `logout` ask (reference/turbo.md 1.5). Below any path, as the artifacts. There are no accounts here: a user is the name of a token. */
export function accountRoute(method: string, { segments }: RequestTarget): Route | undefined {
  if (method === "DELETE" && segments.slice(-4).join("/") === "v3/user/tokens/current")
    return { name: "logout", handle: logout };
  const waitsAt = loginPage(segments);
  if (waitsAt !== undefined && method === "POST")
    return { name: "login", handle: (exchange) => takeToken(exchange, waitsAt) };
  if (method !== "GET") return undefined;
  if (waitsAt !== undefined)
    return { name: "login", handle: (exchange) => askForToken(exchange, waitsAt) };
  const [version, teams, slug] = segments.slice(-3);
  if (version === "v2" && teams === "teams" && slug !== undefined)
    return known((exchange, identity) => team(exchange, identity, slug));
  if (segments.slice(-4).join("/") === "v5/user/tokens/current") return known(currentToken);
  switch (segments.slice(-2).join("/")) {
    case "registration/verify":
      return { name: "login", handle: verifiedToken };
    case "turborepo/success":
      return { name: "login", handle: successPage };
    case "v2/user":
      return known((exchange, identity) =>
        answerJson(exchange.response, 200, { user: userOf(identity) }),
      );
    case "v2/teams":
      return known((exchange, identity) =>
        answerJson(exchange.response, 200, { teams: teamsOf(identity) }),
      );
    default:
      return undefined;
  }
}

/**
 * The page that `turbo login` opens, or that of `--sso-team`. With an address besides (`ssoEmail`) the client would send the browser to its vendor's page with the
 * token in the URL.
 */
function loginPage(segments: readonly string[]): WaitsAt | undefined {
  if (segments.slice(-3).join("/") === "api/auth/sso") return "next";
  return segments.slice(-2).join("/") === "turborepo/token" ? "redirect_uri" : undefined;
}

function currentToken({ response }: Exchange, { name }: Identity): void {
  answerJson(response, 200, { token: { id: name, type: "token", name } });
}

function known(handle: (exchange: Exchange, identity: Identity) => void): Route {
  return {
    name: "account",
    handle(exchange) {
      const { identity, response } = exchange;
      if (identity === undefined)
        answerError(response, 403, "forbidden", "the token is not known here");
      else handle(exchange, identity);
    },
  };
}

function userOf({ name }: Identity): object {
  return { id: name, username: name, email: `${name}@cuenv.invalid`, name };
}

function teamsOf(identity: Identity): object[] {
  const names = identity.namespaces === "*" ? [defaultNamespace] : identity.namespaces;
  const role = identity.scopes.includes("write") ? "MEMBER" : "VIEWER";
  return names.map((name) => ({
    // The client takes no other ids.
    id: `team_${name}`,
    slug: name,
    name,
    created: "1970-01-01T00:00:00.000Z",
    createdAt: 0,
    membership: { role },
  }));
}

function team({ response }: Exchange, identity: Identity, slug: string): void {
  const found = teamsOf(identity).find((each) => "slug" in each && each.slug === slug);
  if (found === undefined) answerError(response, 404, "not_found", "there is no such team");
  else answerJson(response, 200, found);
}

/** The client forgets its token; here it stays valid until it is taken out of the configuration. */
function logout({ response }: Exchange): void {
  answerJson(response, 200, {});
}

/** There is none but the token itself; whose it is the client asks next. */
function verifiedToken({ response, target }: Exchange): void {
  const token = target.query.get("token") ?? "";
  response.setHeader("cache-control", "no-store");
  answerJson(response, 200, { token, teamId: null });
}
