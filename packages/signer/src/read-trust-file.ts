import { CuenvError } from "@cuenv/errors";
import { readFileSync } from "node:fs";
import { isAbsolute, relative } from "node:path";
import { parseTrustFile } from "./parse-trust-file.ts";
import { privacyProblem } from "./private-path.ts";
import type { TrustedKeys } from "./trusted-key.ts";

const maxTrustFileBytes = 4 * 1024 * 1024;

export interface TrustFilePlace {
  /** Absolute. */
  readonly path: string;
  /** Folders whose writers must not say whom to trust: the workspace and the cache folder. */
  readonly foreign: readonly string[];
}

/**
 * The keys of the trust file; none when there is no such file.
 * @throws {CuenvError} TRUST_FILE_PLACE, TRUST_FILE_EXPOSED, TRUST_FILE_INVALID
 */
export function readTrustFile({ path, foreign }: TrustFilePlace): TrustedKeys {
  let text: string;
  try {
    const problem = privacyProblem(path, "authentic");
    // Only of a file that is there: a home folder may be a workspace.
    assertPlace({ path, foreign });
    if (problem !== undefined) {
      throw new CuenvError("TRUST_FILE_EXPOSED", `cannot use trust file ${path}: ${problem}`, {
        hint: `Make sure of what it says, then: chmod go-w ${path}`,
        location: { file: path },
      });
    }
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof CuenvError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    // Below a file there is nothing: services have /dev/null as their home.
    if (code === "ENOENT" || code === "ENOTDIR") return new Map();
    throw new CuenvError("TRUST_FILE_INVALID", `cannot read trust file ${path}: ${code}`, {
      cause: error,
      location: { file: path },
    });
  }
  if (text.length > maxTrustFileBytes) {
    throw new CuenvError("TRUST_FILE_INVALID", `cannot read trust file ${path}: it is too large`, {
      location: { file: path },
    });
  }
  return parseTrustFile(text, path);
}

/** @throws {CuenvError} TRUST_FILE_PLACE */
export function assertPlace({ path, foreign }: TrustFilePlace): void {
  const above = foreign.find((folder) => isInside(path, folder));
  if (above !== undefined) {
    throw new CuenvError("TRUST_FILE_PLACE", `cannot use trust file ${path}: it lies in ${above}`, {
      hint: "Whoever writes there would say whom to trust; keep it outside, as ~/.config/cuenv/trusted-keys.",
      location: { file: path },
    });
  }
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith("../") && !way.startsWith("..\\") && !isAbsolute(way);
}
