import { createHash } from "node:crypto";
import type { Exchange } from "../front-end.ts";
import { readBody } from "../receive-body.ts";
import { answerError } from "./answers.ts";

/** A token, with room for those of CI systems (bytes). */
const maxFormBytes = 64 * 1024;

/** Where the client sends the browser when it has the token: to our page, or its vendor's. Some browsers hold `form-action` against that, too. */
const lastPage = { redirect_uri: "", next: " https://vercel.com" } as const;

/** The part of the query that says where the client waits. */
export type WaitsAt = keyof typeof lastPage;

/** Asks for the token for a waiting `turbo login`. The answer comes here first, since the client says of a token that is wrong only that it got a 403. */
export function askForToken(exchange: Exchange, named: WaitsAt): void {
  const redirect = waitingClient(exchange, named);
  if (redirect !== undefined) formPage(exchange, redirect, named);
}

/** Hands a token that is known to the waiting client, which is on this machine and nowhere else. */
export async function takeToken(exchange: Exchange, named: WaitsAt): Promise<void> {
  const redirect = waitingClient(exchange, named);
  if (redirect === undefined) return;
  const { request, response, target } = exchange;
  const body = await readBody(request, maxFormBytes);
  // It was copied from somewhere, maybe with a line's end.
  const token = new URLSearchParams(body?.toString("utf8")).get("token")?.trim() ?? "";
  if (token === "" || (await exchange.identify(token)) === undefined)
    return formPage(exchange, redirect, named, "This token is not known here.");
  redirect.searchParams.set("state", target.query.get("state") ?? "");
  redirect.searchParams.set("token", token);
  response.writeHead(303, {
    location: redirect.href,
    "content-length": 0,
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  });
  response.end();
}

export function successPage({ response }: Exchange): void {
  page(response, 200, "<p>The token went to turbo. You may close this page.</p>", "'none'");
}

/** Undefined: it is none of this machine, which was answered. */
function waitingClient({ response, target }: Exchange, named: WaitsAt): URL | undefined {
  const text = target.query.get(named);
  const url = text === null ? null : URL.parse(text);
  const isHere =
    url?.protocol === "http:" &&
    url.username === "" &&
    url.password === "" &&
    ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  if (isHere) return url;
  answerError(response, 400, "bad_request", `${named} must lead to this machine`);
  return undefined;
}

function formPage({ response }: Exchange, redirect: URL, named: WaitsAt, problem?: string): void {
  // Without an action it is sent to where the page is from, below whatever path that is.
  const form =
    "<p>turbo on this machine waits for a token of this cache. Whoever runs the cache has one for you.</p>" +
    (problem === undefined ? "" : `<p role="alert">${problem}</p>`) +
    '<form method="post"><label for="token">Token</label>' +
    '<input id="token" type="password" name="token" autocomplete="off" required autofocus>' +
    "<button>Log in</button></form>";
  const status = problem === undefined ? 200 : 403;
  page(response, status, form, `'self' ${redirect.origin}${lastPage[named]}`);
}

const style =
  ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}" +
  "body{max-width:26rem;margin:15vh auto 0;padding:0 1.5rem}h1{font-size:1.4rem}" +
  "label{display:block;font-weight:600}" +
  "input,button{box-sizing:border-box;width:100%;padding:.6rem;margin-top:.4rem;font:inherit}" +
  "button{margin-top:1rem;cursor:pointer}[role=alert]{font-weight:600;color:light-dark(#a4001d,#ff8f9f)}";
const styleHash = createHash("sha256").update(style).digest("base64");

function page(
  response: Exchange["response"],
  status: number,
  content: string,
  formAction: string,
): void {
  const text = Buffer.from(
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">' +
      `<title>cuenv cache</title><style>${style}</style><body><h1>cuenv cache</h1>${content}</body></html>\n`,
  );
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "content-length": text.length,
    "content-security-policy":
      `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; ` +
      `frame-ancestors 'none'; form-action ${formAction}`,
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
  });
  response.end(text);
}
