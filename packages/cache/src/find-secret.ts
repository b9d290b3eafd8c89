import { closeSync, openSync, readSync } from "node:fs";
import type { CacheEngine } from "./cache-engine.ts";
import { hashOutputs } from "./task-state.ts";
import type { TaskRequest } from "./task-request.ts";

const chunkBytes = 1024 * 1024;

/**
 * Where a secret of the task stands in what would be stored: in the components of its key (an argument, say), in the content, name
 * or target of one of its outputs. Undefined: nowhere. Recorded output is masked already.
 */
export async function findSecret(
  engine: CacheEngine,
  request: TaskRequest,
  keyInputs: Buffer,
): Promise<string | undefined> {
  const secrets = request.secretValues.map((value) => Buffer.from(value));
  if (secrets.length === 0) return undefined;
  const isIn = (text: string): boolean =>
    request.secretValues.some((value) => text.includes(value));
  const inKey = request.secretValues.some((value) =>
    keyInputs.includes(JSON.stringify(value).slice(1, -1)),
  );
  if (inKey) return "the value of a secret is part of its command or inputs";
  for (const entry of (await hashOutputs(engine, request.task)) ?? []) {
    if (isIn(entry.path) || (entry.kind === "symlink" && isIn(entry.target)))
      return "the value of a secret is part of the name of an output";
    if (entry.kind !== "file") continue;
    const path = `${engine.workspaceRoot}/${entry.path}`;
    if (secrets.some((value) => fileIncludes(path, value)))
      return `its output ${entry.path} contains the value of a secret`;
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
