import { type Stats, realpathSync, statSync } from "node:fs";
import { sep } from "node:path";
import type { EvaluationInput } from "./evaluation.ts";
import { hashOf, listDirectory, readStamped, stampOf } from "./evaluation-input.ts";
import { mentionsTaskOutputs } from "./conforms-to-schema.ts";
import type { EvaluationLimits } from "./limits.ts";
import { reasonOf } from "./reason-of.ts";

/** Why a path was refused; the evaluation ends with it, whatever CUE makes of the refusal. */
export interface Refusal {
  readonly code: "CUE_READ" | "CUE_LIMIT_READ";
  readonly path: string;
  readonly reason: string;
}

export const missing = -1 as const;
export const refused = -2 as const;
type Nothing = typeof missing | typeof refused;

/** The file system as the evaluator sees it: read-only, below one folder, bounded, and every look is noted. */
export interface HostFiles {
  /** 1 file, 2 folder. */
  stat(path: string): 1 | 2 | Nothing;
  read(path: string): Uint8Array | Nothing;
  list(path: string, entries: "cue" | "all"): Uint8Array | Nothing;
  /** Everything looked at so far. */
  inputs(): readonly EvaluationInput[];
  readonly refusal: Refusal | undefined;
  /** A file that was read could refer to what only our schema defines. */
  readonly mentionsTaskOutputs: boolean;
}

export function createHostFiles(root: string, limits: EvaluationLimits): HostFiles {
  const gate = createGate(root, limits);
  const inputs = new Map<string, EvaluationInput>();
  let mentions = false;

  function note(input: EvaluationInput): void {
    const known = inputs.get(input.path);
    if (known !== undefined && isOther(known, input)) {
      inputs.set(input.path, { kind: "file", path: input.path, hash: noContent });
      return;
    }
    // A look is part of a reading; a listing of all entries is more than one of some.
    if (input.kind === "present" && known !== undefined) return;
    if (known?.kind === "directory" && known.entries === "all") return;
    inputs.set(input.path, input);
  }

  /** The stat of what is there; nothing is noted as missing. */
  function look(path: string): Stats | Nothing {
    const stats = gate.look(path);
    if (stats === missing) note({ kind: "missing", path });
    return stats;
  }

  return {
    inputs: () => [...inputs.values()],
    get refusal() {
      return gate.refusal;
    },
    get mentionsTaskOutputs() {
      return mentions;
    },
    stat(path) {
      const stats = look(path);
      if (typeof stats === "number") return stats;
      const isDirectory = stats.isDirectory();
      note({ kind: "present", path, isDirectory });
      return isDirectory ? 2 : 1;
    },
    read(path) {
      const stats = look(path);
      if (typeof stats === "number") return stats;
      if (!gate.admits(path, stats)) return refused;
      try {
        const { bytes, stamp } = readStamped(path);
        note({ kind: "file", path, hash: hashOf(bytes), stamp });
        mentions ||= mentionsTaskOutputs(bytes);
        return bytes;
      } catch (error) {
        return gate.refuse(path, reasonOf(error));
      }
    },
    list(path, entries) {
      const readAtMs = Date.now();
      const stats = look(path);
      if (typeof stats === "number") return stats;
      if (!stats.isDirectory()) {
        note({ kind: "present", path, isDirectory: false });
        return missing;
      }
      try {
        const { text, hasLinks } = listDirectory(path, entries);
        const stamp = hasLinks ? undefined : stampOf(stats, readAtMs);
        note({ kind: "directory", path, entries, hash: hashOf(text), stamp });
        return new TextEncoder().encode(text);
      } catch (error) {
        return gate.refuse(path, reasonOf(error));
      }
    },
  };
}

/** The hash of nothing: what is noted with it never is what it was. */
const noContent = "";

/**
 * Whether a path was edited, made or removed between two looks. Nobody knows then which of the two the evaluation goes by, so what came of it must not be remembered
 * as that of either: a file that is read for its package clause first and as a whole later is one of both.
 */
function isOther(known: EvaluationInput, now: EvaluationInput): boolean {
  if ((known.kind === "missing") !== (now.kind === "missing")) return true;
  if (known.kind === "file") return now.kind === "file" && known.hash !== now.hash;
  const isSameListing =
    known.kind === "directory" && now.kind === "directory" && known.entries === now.entries;
  return isSameListing && known.hash !== now.hash;
}

interface Gate {
  look(path: string): Stats | Nothing;
  /** Whether a file may be read; counts it. */
  admits(path: string, stats: Stats): boolean;
  refuse(path: string, reason: string, code?: Refusal["code"]): typeof refused;
  readonly refusal: Refusal | undefined;
}

/** What may be looked at and read: nothing outside the root, not through a link either, and not without bounds. */
function createGate(root: string, limits: EvaluationLimits): Gate {
  const realRoot = realpathSync(root);
  let refusal: Refusal | undefined;
  let bytesRead = 0;
  let looks = 0;

  function refuse(
    path: string,
    reason: string,
    code: Refusal["code"] = "CUE_READ",
  ): typeof refused {
    refusal ??= { code, path, reason };
    return refused;
  }

  function look(path: string): Stats | Nothing {
    looks += 1;
    if (looks > limits.files)
      return refuse(path, `more than ${limits.files} files are needed`, "CUE_LIMIT_READ");
    if (!isWithin(path, root)) return refuse(path, `it lies outside ${root}`);
    try {
      const stats = statSync(path, { throwIfNoEntry: false });
      if (stats === undefined) return missing;
      if (isWithin(realpathSync(path), realRoot)) return stats;
      return refuse(path, `a link leads outside ${root}`);
    } catch (error) {
      return refuse(path, reasonOf(error));
    }
  }

  function admits(path: string, stats: Stats): boolean {
    bytesRead += stats.size;
    // Opening a FIFO would wait for ever; a device may never end.
    if (!stats.isFile()) refuse(path, "it is not a regular file");
    else if (stats.size > limits.fileBytes)
      refuse(path, `it has more than ${limits.fileBytes} bytes`, "CUE_LIMIT_READ");
    else if (bytesRead > limits.totalBytes)
      refuse(path, `more than ${limits.totalBytes} bytes are read in all`, "CUE_LIMIT_READ");
    else return true;
    return false;
  }

  return {
    look,
    admits,
    refuse,
    get refusal() {
      return refusal;
    },
  };
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
