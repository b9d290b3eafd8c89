import { createEntryMemo, type EntryMemo } from "@cuenv/action-cache";
import { type FileIndex, replaceFile } from "@cuenv/digest";
import {
  type ConclusionMemo,
  createConclusionMemo,
  createInputMemo,
  createToolProbe,
  type InputMemo,
  type ToolProbe,
} from "@cuenv/key";
import type { EntryTrust } from "./entry-trust.ts";
import { type MarkedOutputs, openMarkedOutputs } from "./marked-outputs.ts";
import { readState, type WorkspaceState } from "./workspace-state.ts";

/** What an engine remembers of earlier runs besides the file index, each in a file of its own, sealed. Read when it is first asked. */
export interface Memos {
  /** The files that an input selection finds. */
  readonly inputMemo: InputMemo;
  /** Keys of tasks, and which outputs are in place. */
  readonly conclusions: ConclusionMemo;
  /** What the entries hold that were used last. */
  readonly entryMemo: EntryMemo;
  /** What restores put in place. */
  readonly markedOutputs: MarkedOutputs;
  /** What the tools of `runtime` printed. */
  readonly tools: ToolProbe;
}

export interface MemosOptions {
  readonly state: WorkspaceState | undefined;
  readonly trust: EntryTrust;
  readonly index: FileIndex;
  /** Of cuenv. */
  readonly version: string;
  /** Names the code of this very build: what it concluded no other one believes. */
  readonly build: string;
  readonly readOnly: boolean;
  /** Absolute: where the tools run. */
  readonly projectDirectory: string;
}

export function openMemos(options: MemosOptions): Memos {
  const { state, trust, index, version, build, readOnly } = options;
  const own = state?.ofVersion(version);
  return {
    inputMemo: createInputMemo(
      () => readState(own?.inputs),
      () => trust.seal("inputs"),
      build,
    ),
    conclusions: createConclusionMemo({
      index,
      read: () => readState(own?.conclusions),
      keeps: !readOnly && state !== undefined,
      seal: () => trust.seal("conclusions"),
      build,
    }),
    entryMemo: createEntryMemo({
      read: () => readState(own?.entries),
      seal: () => trust.seal("entries"),
      build,
    }),
    markedOutputs: openMarkedOutputs(
      () => readState(state?.marked),
      () => trust.seal("marked"),
    ),
    tools: createToolProbe({
      directory: options.projectDirectory,
      memo: readState(state?.tools),
      seal: () => trust.seal("tools"),
    }),
  };
}

/** For the next run, what changed. The file index has been saved: conclusions go by its numbers. */
export function saveMemos(memos: Memos, state: WorkspaceState, version: string): void {
  const own = state.ofVersion(version);
  const save = (path: string, memo: { serialize(): string | undefined }): void => {
    const text = memo.serialize();
    if (text !== undefined) replaceFile(path, text);
  };
  save(own.conclusions, memos.conclusions);
  save(own.entries, memos.entryMemo);
  save(own.inputs, memos.inputMemo);
  save(state.tools, memos.tools);
  save(state.marked, memos.markedOutputs);
}
