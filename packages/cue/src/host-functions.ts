import { sep } from "node:path";
import { type HostFiles, missing, refused } from "./host-files.ts";
import type { ModuleImports, WasmMemory } from "./web-assembly.ts";

const windows = sep === "\\";
const nativePath = (path: string): string => (windows ? path.slice(1).replaceAll("/", sep) : path);

/** The evaluator knows absolute paths with forward slashes only: `/C:/x` for what Windows calls `C:\x`. */
export function portablePath(path: string): string {
  return windows ? `/${path.replaceAll(sep, "/")}` : path;
}

export interface HostFunctions {
  readonly imports: ModuleImports;
  /** What the evaluator answered to the last request. */
  takeAnswer(): string;
}

/** What the Go program imports (go/host.go). A size that is negative says why there is nothing. */
export function createHostFunctions(
  memory: () => WasmMemory,
  files: () => HostFiles | undefined,
): HostFunctions {
  let pending: Uint8Array = new Uint8Array();
  let answer = "";
  const text = (at: number, length: number): string =>
    new TextDecoder().decode(new Uint8Array(memory().buffer).slice(at, at + length));
  const path = (at: number, length: number): string => nativePath(text(at, length));
  function offer(bytes: Uint8Array | typeof missing | typeof refused | undefined): number {
    if (bytes === undefined) return refused;
    if (typeof bytes === "number") return bytes;
    pending = bytes;
    return bytes.length;
  }
  return {
    imports: {
      stat: (at: number, length: number) => files()?.stat(path(at, length)) ?? refused,
      read: (at: number, length: number) => offer(files()?.read(path(at, length))),
      list: (at: number, length: number, everything: number) =>
        offer(files()?.list(path(at, length), everything === 0 ? "cue" : "all")),
      take(at: number) {
        new Uint8Array(memory().buffer).set(pending, at);
        pending = new Uint8Array();
      },
      result(at: number, length: number) {
        answer = text(at, length);
      },
    },
    takeAnswer() {
      const taken = answer;
      answer = "";
      return taken;
    },
  };
}
