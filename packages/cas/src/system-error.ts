import { CuenvError, type ErrorCode } from "@cuenv/errors";

/** The code of a system error (`ENOENT`), undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

const hints: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full. Free some space, or lower the cache's maxSize.",
  EDQUOT: "The disk quota is used up. Free some space, or lower the cache's maxSize.",
  EROFS: "The file system is read-only. Choose another folder with CUENV_CACHE_DIR.",
  EACCES: "Give yourself access to the cache folder, or choose another one with CUENV_CACHE_DIR.",
  EPERM: "Give yourself access to the cache folder, or choose another one with CUENV_CACHE_DIR.",
  EMFILE: "Too many files are open. Raise the limit (ulimit -n), or run fewer tasks at once.",
  ENFILE: "Too many files are open on this machine.",
};

/**
 * A store's failure as the error of its contract. `what` completes "cannot": `write blob ab12…`. An error that is
 * one of ours already passes unchanged.
 */
export function storeUnavailable(what: string, error: unknown, code: ErrorCode): CuenvError {
  if (error instanceof CuenvError && error.code === code) return error;
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof CuenvError ? error.hint : hints[errorCode(error) ?? ""];
  return new CuenvError(code, `cannot ${what}: ${message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
