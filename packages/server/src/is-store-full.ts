/** Full disks and quotas. */
const fullCodes = new Set(["ENOSPC", "EDQUOT"]);

/** Whether a store failed because nothing more fits. */
export function isStoreFull(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && fullCodes.has(String(cause.code));
}
