import { createTurns } from "@cuenv/cas";
import type { Exchange } from "../front-end.ts";
import { isFields } from "../is-fields.ts";
import { readBody } from "../receive-body.ts";
import { answerError, answerJson } from "./answers.ts";
import { findReadable } from "../find-readable.ts";
import { admit, protocol } from "./artifact-routes.ts";
import type { TurborepoOptions } from "./turborepo-front-end.ts";

/** A list of hashes or events is at most so long (bytes, and items). */
const maxListBytes = 4 * 1024 * 1024;
const maxItems = 50_000;
/** Looked for at once: with a remote cache behind it each is a round trip, and the client waits 30 s for all. */
const lookupsAtOnce = 16;
const hashPattern = /^[A-Za-z0-9_-]{1,128}$/;

/** Which of many artifacts are there: `turbo run --dry` asks it for all local misses at once, and wants none of their bytes. */
export async function queryArtifacts(options: TurborepoOptions, exchange: Exchange): Promise<void> {
  const admitted = admit(exchange, "read");
  if (admitted === undefined) return;
  const body = await readJson(exchange);
  const hashes = isFields(body) ? body["hashes"] : undefined;
  if (!Array.isArray(hashes) || hashes.length > maxItems) return badRequest(exchange);
  if (!hashes.every((hash) => typeof hash === "string" && hashPattern.test(hash)))
    return badRequest(exchange);
  const found: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const hash of hashes as string[]) found[hash] = null;
  const rest = Object.keys(found);
  const find = options.artifacts.describe;
  const turn = createTurns();
  const lookUp = async (): Promise<void> => {
    for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
      await turn();
      const artifact = { protocol, name };
      const record = await findReadable(find, admitted, artifact, exchange.signal);
      if (record !== undefined) found[name] = described(record);
    }
  };
  try {
    await Promise.all(Array.from({ length: lookupsAtOnce }, lookUp));
  } finally {
    // After a failure the others need not go on.
    rest.length = 0;
  }
  answerJson(exchange.response, 200, found);
}

function described(record: {
  readonly blob: { readonly sizeBytes: number };
  readonly headers: Readonly<Record<string, string>>;
}): object {
  const { duration, tag } = record.headers as { readonly duration?: string; readonly tag?: string };
  return {
    size: record.blob.sizeBytes,
    taskDurationMs: Number(duration ?? 0),
    ...(tag === undefined ? {} : { tag }),
  };
}

/** What the client counted of its own hits and misses. It does not look at the answer. */
export async function recordEvents(options: TurborepoOptions, exchange: Exchange): Promise<void> {
  const admitted = admit(exchange, "read");
  if (admitted === undefined) return;
  const events = await readJson(exchange);
  if (!Array.isArray(events) || events.length > maxItems) return badRequest(exchange);
  for (const event of events) {
    if (!isFields(event)) continue;
    const outcome = event["event"] === "HIT" ? "hit" : "miss";
    const source = event["source"] === "LOCAL" ? "local" : "remote";
    options.metrics.count("cuenv_server_client_events_total", { protocol, outcome, source });
  }
  answerJson(exchange.response, 200, {});
}

async function readJson({ request }: Exchange): Promise<unknown> {
  const body = await readBody(request, maxListBytes);
  try {
    return body === undefined ? undefined : JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

function badRequest({ response }: Exchange): void {
  answerError(response, 400, "bad_request", "the body is not the list that is expected here");
}
