import { type Digest, replaceFile } from "@cuenv/digest";
import { type EarlierResult, openEarlierResults } from "./earlier-results.ts";
import { readState } from "./workspace-state.ts";

/** The last stored or restored result of a task in this workspace: what a miss is compared with. */
export interface LastResult {
  /** The hash of the Action's digest. */
  readonly key: string;
  /** The blob of its `KeyInputs`. */
  readonly keyInputs: Digest;
  /** That of the result before it, under another key: what changed between the two. */
  readonly previous?: Digest | undefined;
}

export interface LastResults {
  get(taskId: string): LastResult | undefined;
  /** The last few, the newest first. Reads a file of its own: for explanations. */
  earlier(taskId: string): readonly EarlierResult[];
  set(taskId: string, result: Omit<LastResult, "previous">): void;
  /** The ids of the tasks whose result became another one last, before this run; the newest first. */
  recent(limit: number): readonly string[];
  save(): void;
}

type Row = readonly [
  key: string,
  keyInputsHash: string,
  keyInputsBytes: number,
  previousHash?: string,
  previousBytes?: number,
];

/**
 * One small file for the workspace, read when it is first asked. `taskId` is the project's folder and the task's name. Its rows stand in the order in which they
 * changed, the newest last.
 */
export function openLastResults(
  path: string | undefined,
  earlierPath: string | undefined,
): LastResults {
  const earlier = openEarlierResults(earlierPath);
  let rows: Map<string, Row> | undefined;
  const changed = new Set<string>();
  const loaded = (): Map<string, Row> => (rows ??= parseRows(readState(path)));
  return {
    get: (taskId) => {
      const row = loaded().get(taskId);
      if (row === undefined) return undefined;
      const [key, hash, sizeBytes, previousHash, previousBytes] = row;
      const previous =
        typeof previousHash === "string" && typeof previousBytes === "number"
          ? { hash: previousHash, sizeBytes: previousBytes }
          : undefined;
      return { key, keyInputs: { hash, sizeBytes }, previous };
    },
    earlier: (taskId) => earlier.get(taskId),
    set: (taskId, { key, keyInputs }) => {
      const before = loaded().get(taskId);
      if (before?.[0] === key) return;
      earlier.add(taskId, { key, keyInputs });
      const { hash, sizeBytes } = keyInputs;
      loaded().set(
        taskId,
        before === undefined
          ? [key, hash, sizeBytes]
          : [key, hash, sizeBytes, before[1], before[2]],
      );
      changed.add(taskId);
    },
    recent: (limit) =>
      [...loaded().keys()]
        .filter((taskId) => !changed.has(taskId))
        .slice(-limit)
        .toReversed(),
    save: () => {
      earlier.save();
      if (changed.size === 0 || path === undefined) return;
      // Another run may have saved meanwhile: its rows stay, but for what changed in this run.
      const merged = parseRows(readState(path));
      for (const taskId of changed) {
        const row = loaded().get(taskId);
        merged.delete(taskId);
        if (row !== undefined) merged.set(taskId, row);
      }
      if (replaceFile(path, JSON.stringify([...merged]))) changed.clear();
    },
  };
}

function parseRows(text: string | undefined): Map<string, Row> {
  if (text === undefined) return new Map();
  try {
    const rows: unknown = JSON.parse(text);
    return new Map(Array.isArray(rows) ? rows.filter(isRow) : []);
  } catch {
    return new Map();
  }
}

function isRow(value: unknown): value is [string, Row] {
  if (!Array.isArray(value) || typeof value[0] !== "string" || !Array.isArray(value[1]))
    return false;
  const [key, hash, size] = value[1] as unknown[];
  return typeof key === "string" && typeof hash === "string" && typeof size === "number";
}
