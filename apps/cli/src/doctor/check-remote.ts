import type { CacheSettings } from "@cuenv/config";
import type { RemoteCache } from "@cuenv/remote";
import { openRemote } from "../run/remote-options.ts";
import { broken, type Check, note, ok } from "./check.ts";

const name = "remote cache";
/** A person waits for it. */
const longestWaitMs = 5_000;

/** Whether the remote cache answers, knows the token, and lets it do what these settings want of it: it is asked, as a run does. */
export async function checkRemote(settings: CacheSettings): Promise<Check> {
  const { remoteEndpoint: endpoint } = settings;
  if (endpoint === undefined || endpoint === "") return ok(name, "none is configured");
  const timeoutMs = Math.min(settings.remoteTimeoutSeconds * 1000, longestWaitMs);
  try {
    const cache = await openRemote(settings, endpoint, timeoutMs);
    try {
      const started = performance.now();
      await cache.connect();
      const ms = Math.max(1, Math.round(performance.now() - started));
      return await checkUses(settings, cache, `${cache.name} answers, in ${ms} ms`);
    } finally {
      cache.close();
    }
  } catch (error) {
    const { message, hint } = error as Error & { readonly hint?: string };
    return broken(
      name,
      `${shown(endpoint)} cannot be used: ${message}`,
      hint ??
        "Builds go on without it. Check the address (grpcs:// where it has TLS), the token, and whether this network lets you out.",
    );
  }
}

async function checkUses(
  { remoteDownloadEnabled, remoteUploadEnabled }: CacheSettings,
  cache: RemoteCache,
  answers: string,
): Promise<Check> {
  const isRefused = async (isWanted: boolean, access: "read" | "write"): Promise<boolean> =>
    isWanted && !(await cache.mayUse(access));
  const [noReads, noWrites] = await Promise.all([
    isRefused(remoteDownloadEnabled, "read"),
    isRefused(remoteUploadEnabled, "write"),
  ]);
  const isFetching = remoteDownloadEnabled && !noReads;
  const isSending = remoteUploadEnabled && !noWrites;
  if ((noReads || noWrites) && !isFetching && !isSending)
    return broken(
      name,
      `${answers}, and refuses us all that these settings want of it`,
      "Builds go on without it. Give a token that may read or write in this namespace.",
    );
  if (noWrites)
    return note(
      name,
      `${answers}, and takes nothing from us`,
      "Results are fetched and not sent. Give a token that may write, or set uploadEnabled: false to say that it is meant so.",
    );
  if (noReads)
    return note(
      name,
      `${answers}, and gives us nothing`,
      "Results are sent and not fetched. Give a token that may read, or set downloadEnabled: false to say that it is meant so.",
    );
  const uses = [isFetching ? "fetched" : "", isSending ? "sent" : ""];
  const used = uses.filter((use) => use !== "").join(" and ") || "neither fetched nor sent";
  return ok(name, `${answers}; results are ${used}`);
}

/** User names and passwords in it are nobody's business. */
function shown(endpoint: string): string {
  return endpoint.replace(/^(?<scheme>\w+:\/\/)?[^/]*@/, "$<scheme>");
}
