import { type Stats, realpathSync, statSync } from "node:fs";
import { sep } from "node:path";
import type { EvaluationInput } from "./evaluation.ts";
import { hashOf, listDirectory, readStamped, stampOf } from "./evaluation-input.ts";
import type { EvaluationLimits } from "./limits.ts";

/** Why a path was refused; the evaluation ends with it, whatever CUE makes of the refusal. */
export interface Refusal {
  readonly code: "CUE_READ" | "CUE_LIMIT_READ";
  readonly path: string;
  readonly reason: string;
}

export const missing = -1 as const;
export const refused = -2 as const;

/** The file system as the evaluator sees it: read-only, below one folder, bounded, and every look is noted. */
export interface HostFiles {
  /** 1 file, 2 folder, or `missing` or `refused`. */
  stat(path: string): number;
  read(path: string): Uint8Array | typeof missing | typeof refused;
  list(path: string, entries: "cue" | "all"): Uint8Array | typeof missing | typeof refused;
  /** Everything looked at so far. */
  inputs(): readonly EvaluationInput[];
  readonly refusal: Refusal | undefined;
}

export function createHostFiles(root: string, limits: EvaluationLimits): HostFiles {
  const realRoot = realpathSync(root);
  const inputs = new Map<string, EvaluationInput>();
  let refusal: Refusal | undefined;
  let readBytes = 0;
  let looks = 0;

  function refuse(
    path: string,
    reason: string,
    code: Refusal["code"] = "CUE_READ",
  ): typeof refused {
    refusal ??= { code, path, reason };
    return refused;
  }

  function note(input: EvaluationInput): void {
    const known = inputs.get(input.path);
    // A look is part of a reading; a listing of all entries is more than one of some.
    if (input.kind === "present" && known !== undefined) return;
    if (known?.kind === "directory" && known.entries === "all") return;
    inputs.set(input.path, input);
  }

  /** Why a path may not be looked at, or its stat, or undefined when there is nothing. */
  function look(path: string): Stats | undefined | typeof refused {
    looks += 1;
    if (looks > limits.files)
      return refuse(path, `more than ${limits.files} files are needed`, "CUE_LIMIT_READ");
    if (!isWithin(path, root)) return refuse(path, `it lies outside ${root}`);
    let stats: Stats | undefined;
    try {
      stats = statSync(path, { throwIfNoEntry: false });
      if (stats !== undefined && !isWithin(realpathSync(path), realRoot))
        return refuse(path, `a link leads outside ${root}`);
    } catch (error) {
      return refuse(path, reasonOf(error));
    }
    return stats;
  }

  return {
    inputs: () => [...inputs.values()],
    get refusal() {
      return refusal;
    },
    stat(path) {
      const stats = look(path);
      if (stats === refused) return refused;
      if (stats === undefined) {
        note({ kind: "missing", path });
        return missing;
      }
      note({ kind: "present", path, isDirectory: stats.isDirectory() });
      return stats.isDirectory() ? 2 : 1;
    },
    read(path) {
      const stats = look(path);
      if (stats === refused) return refused;
      if (stats === undefined) {
        note({ kind: "missing", path });
        return missing;
      }
      // Opening a FIFO would wait for ever; a device may never end.
      if (!stats.isFile()) return refuse(path, "it is not a regular file");
      if (stats.size > limits.fileBytes)
        return refuse(path, `it has more than ${limits.fileBytes} bytes`, "CUE_LIMIT_READ");
      readBytes += stats.size;
      if (readBytes > limits.totalBytes)
        return refuse(
          path,
          `more than ${limits.totalBytes} bytes are read in all`,
          "CUE_LIMIT_READ",
        );
      try {
        const { bytes, stamp } = readStamped(path);
        note({ kind: "file", path, hash: hashOf(bytes), stamp });
        return bytes;
      } catch (error) {
        return refuse(path, reasonOf(error));
      }
    },
    list(path, entries) {
      const readAtMs = Date.now();
      const stats = look(path);
      if (stats === refused) return refused;
      if (stats === undefined || !stats.isDirectory()) {
        note(
          stats === undefined
            ? { kind: "missing", path }
            : { kind: "present", path, isDirectory: false },
        );
        return missing;
      }
      try {
        const { text, hasLinks } = listDirectory(path, entries);
        const stamp = hasLinks ? undefined : stampOf(stats, readAtMs);
        note({ kind: "directory", path, entries, hash: hashOf(text), stamp });
        return new TextEncoder().encode(text);
      } catch (error) {
        return refuse(path, reasonOf(error));
      }
    },
  };
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
