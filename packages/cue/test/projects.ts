import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CuenvError } from "@cuenv/errors";
import { afterAll } from "vitest";
import { disposeEvaluator } from "../src/index.ts";

export interface Projects {
  /** A new folder with files in it: path → text. */
  make(files: Record<string, string>): string;
}

/** Folders that last as long as the test file; the evaluator ends with them. */
export function projectsForTests(): Projects {
  const made: string[] = [];
  afterAll(async () => {
    await disposeEvaluator();
    for (const folder of made) rmSync(folder, { recursive: true, force: true });
  });
  return {
    make(files) {
      const folder = realpathSync(mkdtempSync(join(tmpdir(), "cuenv-cue-")));
      made.push(folder);
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
      }
      return folder;
    },
  };
}

/** The error that a promise is rejected with. */
export async function errorOf(promise: Promise<unknown>): Promise<CuenvError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof CuenvError) return error;
    throw error;
  }
  throw new Error("there was no error");
}
