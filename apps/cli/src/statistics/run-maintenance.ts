import { installSignalHandling, interruptExitCode } from "@cuenv/runner";
import { discardCompiledCode } from "../compiled-code.ts";
import { createProgress } from "../report/progress.ts";
import { printErr, printOut } from "../report/terminal.ts";
import { formatBytes } from "../run/format-duration.ts";

export interface MaintenanceRun {
  readonly onProgress: (files: number, bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Looks after the cache folder, and prints what came of it; with progress on a terminal. Ctrl-C ends it between two files, with 130, and says how far it came: what was done is done,
 * and whole. Our own compiled code is not kept, so that measuring and emptying the folder does not fill it.
 */
export async function runMaintenance(
  { doing, done }: { readonly doing: string; readonly done: string },
  work: (run: MaintenanceRun) => Promise<{ readonly text: string; readonly exitCode?: number }>,
): Promise<number> {
  discardCompiledCode();
  const controller = new AbortController();
  const { signal } = controller;
  const progress = createProgress(doing);
  const seen = { files: 0, bytes: 0 };
  const removeHandlers = installSignalHandling({
    onInterrupt: (reason) => controller.abort(reason),
  });
  try {
    const { text, exitCode = 0 } = await work({
      signal,
      onProgress: (files, bytes) => {
        Object.assign(seen, { files, bytes });
        progress.report(files, bytes);
      },
    });
    progress.end();
    printOut(text);
    return exitCode;
  } catch (error) {
    if (!signal.aborted) throw error;
    progress.end();
    printErr(`interrupted: ${done} ${seen.files} files, ${formatBytes(seen.bytes)}, until then\n`);
    return interruptExitCode(signal.reason);
  } finally {
    progress.end();
    removeHandlers();
  }
}
