import { closeSync, openSync, readSync } from "node:fs";
import type { CacheEngine } from "./cache-engine.ts";
import { hashOutputs } from "./task-state.ts";
import type { TaskRequest } from "./task-request.ts";

/** Shorter values would be found everywhere by chance; they are masked in output all the same. */
const minSecretBytes = 4;
const chunkBytes = 1024 * 1024;

/**
 * Where a secret of the task stands in what would be stored: in the components of its key (an argument, say) or in one of
 * its outputs. Undefined: nowhere. Recorded output is masked already.
 */
export async function findSecret(
  engine: CacheEngine,
  request: TaskRequest,
  keyInputs: Buffer,
): Promise<string | undefined> {
  const secrets = [...request.secretNames].flatMap((name) => {
    const value = Buffer.from(request.variables[name] ?? "");
    return value.length < minSecretBytes ? [] : [{ name, value }];
  });
  if (secrets.length === 0) return undefined;
  for (const { name, value } of secrets) {
    const escaped = JSON.stringify(value.toString()).slice(1, -1);
    if (keyInputs.includes(escaped))
      return `the value of secret ${name} is part of its command or inputs`;
  }
  for (const entry of await hashOutputs(engine, request.task)) {
    if (entry.kind !== "file") continue;
    const found = secrets.find(({ value }) =>
      fileIncludes(`${engine.workspaceRoot}/${entry.path}`, value),
    );
    if (found !== undefined)
      return `its output ${entry.path} contains the value of secret ${found.name}`;
  }
  return undefined;
}

function fileIncludes(path: string, value: Buffer): boolean {
  const file = openSync(path, "r");
  try {
    // Each chunk begins with the end of the one before, so that a value across the border is found.
    const overlap = value.length - 1;
    const buffer = Buffer.alloc(chunkBytes + overlap);
    for (let position = 0, kept = 0; ;) {
      const count = readSync(file, buffer, kept, chunkBytes, position);
      if (count === 0) return false;
      const filled = kept + count;
      if (buffer.subarray(0, filled).includes(value)) return true;
      kept = Math.min(overlap, filled);
      buffer.copyWithin(0, filled - kept, filled);
      position += count;
    }
  } finally {
    closeSync(file);
  }
}
