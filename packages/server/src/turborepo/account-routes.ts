import type { Identity } from "../access-policy.ts";
import type { Exchange, Route } from "../front-end.ts";
import type { RequestTarget } from "../request-target.ts";
import { answerError, answerJson } from "./answers.ts";
import { defaultNamespace } from "../own-namespace.ts";

/** What `turbo login`, `link` and `logout` ask (reference/turbo.md 1.5). Below any path, as the artifacts. There are no accounts here: a user is the name of a token. */
export function accountRoute(method: string, { segments }: RequestTarget): Route | undefined {
  if (method === "DELETE" && segments.slice(-4).join("/") === "v3/user/tokens/current")
    return { name: "logout", handle: logout };
  if (method !== "GET") return undefined;
  const [version, teams, slug] = segments.slice(-3);
  if (version === "v2" && teams === "teams" && slug !== undefined)
    return known((exchange, identity) => team(exchange, identity, slug));
  if (segments.slice(-3).join("/") === "api/auth/sso") return { name: "login", handle: ssoPage };
  if (segments.slice(-4).join("/") === "v5/user/tokens/current") return known(currentToken);
  switch (segments.slice(-2).join("/")) {
    case "turborepo/token":
      return { name: "login", handle: loginPage };
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

/** Asks for a token and hands it to the waiting `turbo login`. */
function loginPage(exchange: Exchange): void {
  askForToken(exchange, "redirect_uri");
}

/** The same for `turbo login --sso-team`. With an address besides (`ssoEmail`) the client would send the browser to its vendor's page with the token in the URL. */
function ssoPage(exchange: Exchange): void {
  askForToken(exchange, "next");
}

/** There is none but the token itself; whose it is the client asks next. */
function verifiedToken({ response, target }: Exchange): void {
  const token = target.query.get("token") ?? "";
  response.setHeader("cache-control", "no-store");
  answerJson(response, 200, { token, teamId: null });
}

/** Where the client sends the browser when it has the token: to our page, or its vendor's. Some browsers hold `form-action` against that, too. */
const lastPage = { redirect_uri: "'self'", next: "https://vercel.com" } as const;

/** On this machine and nowhere else. `named`: the part of the query that says where the client waits. */
function askForToken({ response, target }: Exchange, named: keyof typeof lastPage): void {
  const redirect = loopbackUrl(target.query.get(named));
  if (redirect === undefined)
    return answerError(response, 400, "bad_request", `${named} must lead to this machine`);
  const state = target.query.get("state") ?? "";
  const form =
    `<form method="get" action="${escapeHtml(redirect)}">` +
    `<input type="hidden" name="state" value="${escapeHtml(state)}">` +
    '<label>Token of this cache: <input type="password" name="token" required autofocus></label> ' +
    "<button>Log in</button></form>";
  page(response, form, `form-action ${new URL(redirect).origin} ${lastPage[named]}`);
}

function successPage({ response }: Exchange): void {
  page(response, "<p>Logged in. You may close this page.</p>", "form-action 'none'");
}

function loopbackUrl(text: string | null): string | undefined {
  const url = text === null ? null : URL.parse(text);
  if (url?.protocol !== "http:" || url.username !== "" || url.password !== "") return undefined;
  return ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname) ? url.href : undefined;
}

function page(response: Exchange["response"], content: string, policy: string): void {
  const text = Buffer.from(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>cuenv cache</title><body><h1>cuenv cache</h1>${content}</body></html>\n`,
  );
  response.writeHead(200, {
    "content-type": "text/html; charset=utf-8",
    "content-length": text.length,
    "content-security-policy": `default-src 'none'; frame-ancestors 'none'; ${policy}`,
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  });
  response.end(text);
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
