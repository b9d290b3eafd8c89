import { closeSync, openSync, readSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import type { CacheEngine } from "./cache-engine.ts";
import { hashOutputs } from "./task-state.ts";
import type { TaskRequest } from "./task-request.ts";

const chunkBytes = 1024 * 1024;
/** After so many others get a turn: outputs may have gigabytes, and a lease that falls silent is taken over. */
const chunksPerTurn = 16;

/**
 * Where a secret of the task stands in what would be stored: in the components of its key (an argument, say), in the content, name
 * or target of one of its outputs. Undefined: nowhere. Recorded output is masked already.
 */
export async function findSecret(
  engine: CacheEngine,
  request: TaskRequest,
  keyInputs: Buffer,
): Promise<string | undefined> {
  const { secretValues } = request;
  if (secretValues.length === 0) return undefined;
  const inKey = secretValues.find((value) =>
    keyInputs.includes(JSON.stringify(value).slice(1, -1)),
  );
  if (inKey !== undefined) return `${secretOf(request, inKey)} is part of its command or inputs`;
  for (const entry of (await hashOutputs(engine, request.task)) ?? []) {
    const names = entry.kind === "symlink" ? [entry.path, entry.target] : [entry.path];
    const inName = secretValues.find((value) => names.some((name) => name.includes(value)));
    if (inName !== undefined)
      return `${secretOf(request, inName)} is part of the name of an output`;
    if (entry.kind !== "file") continue;
    const path = `${engine.workspaceRoot}/${entry.path}`;
    const inFile = await valueInFile(path, secretValues, request.signal);
    if (inFile !== undefined)
      return `its output ${entry.path} contains ${secretOf(request, inFile)}`;
  }
  return undefined;
}

/** A secret by the variables that hold it; itself it is never named. */
function secretOf(request: TaskRequest, value: string): string {
  const names = [...request.secretNames].filter((name) => request.variables[name]?.includes(value));
  return `the secret of ${names.join(", ")}`;
}

/** The first of the values that a file contains; it is read once for all of them. */
async function valueInFile(
  path: string,
  values: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const wanted = values.map((value) => ({ value, bytes: Buffer.from(value) }));
  const file = openSync(path, "r");
  try {
    // Each chunk begins with the end of the one before, so that a value across the border is found.
    const overlap = Math.max(...wanted.map(({ bytes }) => bytes.length)) - 1;
    const buffer = Buffer.alloc(chunkBytes + overlap);
    for (let position = 0, kept = 0, turns = 1; ; turns += 1) {
      const count = readSync(file, buffer, kept, chunkBytes, position);
      if (count === 0) return undefined;
      const filled = kept + count;
      const seen = buffer.subarray(0, filled);
      const found = wanted.find(({ bytes }) => seen.includes(bytes));
      if (found !== undefined) return found.value;
      kept = Math.min(overlap, filled);
      buffer.copyWithin(0, filled - kept, filled);
      position += count;
      if (turns % chunksPerTurn !== 0) continue;
      await setImmediate();
      signal?.throwIfAborted();
    }
  } finally {
    closeSync(file);
  }
}
