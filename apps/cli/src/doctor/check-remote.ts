import { connect } from "node:net";
import { broken, type Check, ok } from "./check.ts";

/** A person waits for it. */
const longestWaitMs = 5_000;

/** Whether somebody listens at the remote cache's address: a connection is made and closed again. Nothing is said on it. */
export async function checkRemote(
  endpoint: string | undefined,
  timeoutMs: number = longestWaitMs,
): Promise<Check> {
  if (endpoint === undefined || endpoint === "") return ok("remote cache", "none is configured");
  const address = addressOf(endpoint);
  if (address === undefined)
    return broken(
      "remote cache",
      `${endpoint} is no address`,
      "It is like grpcs://cache.example.com:443.",
    );
  const { host, port } = address;
  const started = performance.now();
  const problem = await connectTo(host, port, Math.min(timeoutMs, longestWaitMs));
  const shown = `${host}:${port}`;
  if (problem === undefined) {
    const ms = Math.max(1, Math.round(performance.now() - started));
    return ok("remote cache", `${shown} can be reached, in ${ms} ms`);
  }
  return broken(
    "remote cache",
    `${shown} cannot be reached: ${problem}`,
    "Builds go on without it. Check the address, and whether this network lets you out.",
  );
}

/** User names and passwords in it are nobody's business. */
function addressOf(endpoint: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?<scheme>[a-z+]+):\/\/(?<rest>.+)$/.exec(endpoint);
  const { scheme = "", rest = "" } = match?.groups ?? {};
  const secure = ["grpcs", "https"].includes(scheme);
  try {
    // Only for http does a URL have a host and a port as it should.
    const { hostname, port } = new URL(`http://${rest}`);
    if (hostname === "") return undefined;
    // 80 is left out of a URL of http.
    const written = /:80(?:\/|$)/.test(rest) ? 80 : undefined;
    const chosen = port === "" ? (written ?? (secure ? 443 : 80)) : Number(port);
    return { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: chosen };
  } catch {
    return undefined;
  }
}

function connectTo(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => finish(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
    const finish = (problem: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(problem);
    };
    socket.once("connect", () => finish(undefined));
    socket.once("error", (error: NodeJS.ErrnoException) => finish(reasonOf(error)));
  });
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ECONNREFUSED":
      return "nobody listens there";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the name is not known";
    default:
      return error.code ?? error.message;
  }
}
