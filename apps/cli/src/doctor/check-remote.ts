import type { CacheSettings } from "@cuenv/config";
import { openRemote } from "../run/remote-options.ts";
import { broken, type Check, note, ok } from "./check.ts";

const name = "remote cache";
/** A person waits for it. */
const longestWaitMs = 5_000;

/** Whether the remote cache answers, knows the token, and can be used with these settings: it is asked for its capabilities, as a run does. */
export async function checkRemote(settings: CacheSettings): Promise<Check> {
  const { remoteEndpoint: endpoint, remoteDownloadEnabled, remoteUploadEnabled } = settings;
  if (endpoint === undefined || endpoint === "") return ok(name, "none is configured");
  const timeoutMs = Math.min(settings.remoteTimeoutSeconds * 1000, longestWaitMs);
  try {
    const cache = await openRemote(settings, endpoint, timeoutMs);
    try {
      const started = performance.now();
      await cache.connect();
      const ms = Math.max(1, Math.round(performance.now() - started));
      const answers = `${cache.name} answers, in ${ms} ms`;
      if (remoteUploadEnabled && !cache.isUsable("write"))
        return note(
          name,
          `${answers}, and takes nothing from us`,
          "Results are fetched and not sent. Give a token that may write, or set uploadEnabled: false to say that it is meant so.",
        );
      const uses = [remoteDownloadEnabled ? "fetched" : "", remoteUploadEnabled ? "sent" : ""];
      const used = uses.filter((use) => use !== "").join(" and ") || "neither fetched nor sent";
      return ok(name, `${answers}; results are ${used}`);
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

/** User names and passwords in it are nobody's business. */
function shown(endpoint: string): string {
  return endpoint.replace(/^(?<scheme>\w+:\/\/)?[^/]*@/, "$<scheme>");
}
