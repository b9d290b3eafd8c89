import type { ArtifactRecord } from "@cuenv/action-cache";
import { createTurns } from "@cuenv/cas";
import { isAllowed } from "../access-policy.ts";
import type { ArtifactOptions } from "../artifact-options.ts";
import type { Exchange } from "../front-end.ts";
import { ownNamespace } from "../own-namespace.ts";
import { readBody } from "../receive-body.ts";
import { keyPattern } from "./key-pattern.ts";

const header = "duration-ms";
/** Hashes and numbers of ten thousand tasks. */
const maxBodyBytes = 1024 * 1024;
/** No task is told to have taken longer (ms): a week. */
const maxDurationMs = 7 * 24 * 3_600_000;

/** How long the task took whose result this is (ms); undefined: nobody said. */
export function durationOf({ headers }: ArtifactRecord): number | undefined {
  const text = headers[header];
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/**
 * `POST /v1/durations`, `{"<hash>": ms}`: how long tasks took, told at the end of a run by who stored their results in it. Nx' own protocol has no place for
 * it, and without it nobody knows what a hit saves.
 */
export async function noteDurations(
  { artifacts }: ArtifactOptions,
  { request, response, identity, signal }: Exchange,
): Promise<void> {
  const answer = (status: number): void => {
    response.writeHead(status, { "content-length": 0 });
    response.end();
  };
  if (identity === undefined) return answer(401);
  const namespace = ownNamespace(identity);
  if (!isAllowed(identity, "write", namespace)) return answer(403);
  const body = await readBody(request, maxBodyBytes);
  const durations = body === undefined ? undefined : parseDurations(body.toString("utf8"));
  if (durations === undefined) return answer(400);
  const turn = createTurns();
  for (const [name, durationMs] of durations) {
    await turn();
    signal.throwIfAborted();
    const artifact = { protocol: "nx", namespace, name };
    const record = await artifacts.find(artifact, signal);
    if (record === undefined || record.writer !== identity.name || durationOf(record) !== undefined)
      continue;
    const headers = { ...record.headers, [header]: String(durationMs) };
    await artifacts.publish(artifact, record.blob, { headers, writer: record.writer }, signal);
  }
  answer(204);
}

function parseDurations(text: string): readonly (readonly [string, number])[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    return Object.entries(value).flatMap(([name, durationMs]) =>
      keyPattern.test(name) &&
      typeof durationMs === "number" &&
      durationMs >= 0 &&
      durationMs <= maxDurationMs
        ? [[name, Math.round(durationMs)] as const]
        : [],
    );
  } catch {
    return undefined;
  }
}
