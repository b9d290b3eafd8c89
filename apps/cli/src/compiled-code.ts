import { mkdirSync } from "node:fs";

/** What the launcher lets us say about V8's compiled code, which it keeps in the cache folder for the next start. */
export interface CompiledCode {
  /** A folder for it that is not there yet. */
  readonly missingFolder: string | undefined;
  /** Nothing of this process is kept. */
  readonly discard: () => void;
}

let compiledCode: CompiledCode | undefined;

export function setCompiledCode(code: CompiledCode | undefined): void {
  compiledCode = code;
}

/**
 * Only the configuration says whether the cache folder may be written to, and code must be loaded to read it; so the launcher begins to keep
 * what is compiled, and it is decided here. The folder is made by a run that may write there, for those that come.
 */
export function decideOnCompiledCode(mayWrite: boolean): void {
  if (compiledCode === undefined) return;
  const { missingFolder, discard } = compiledCode;
  compiledCode = undefined;
  if (!mayWrite) discard();
  else if (missingFolder !== undefined) {
    try {
      mkdirSync(missingFolder, { mode: 0o700 });
    } catch {
      // Made by another process, or there is no cache folder, which may be another one that the configuration names.
    }
  }
}

/** For commands that measure or empty the cache folder: what they compile is not kept there. */
export function discardCompiledCode(): void {
  compiledCode?.discard();
  compiledCode = undefined;
}
