import type { DiskLayout, EntryId } from "./disk-layout.ts";
import { appendJournal, foldJournal, maxJournalBytes } from "./usage-journal.ts";

/** So many lines are kept in memory before they are written. */
const maxPendingLines = 1024;

/** Collects uses and additions of this process for the journal. */
export interface UseRecorder {
  readonly use: (entry: EntryId) => void;
  readonly entry: (entry: EntryId, sizeBytes: number) => void;
  readonly blob: (sizeBytes: number) => void;
  /** Appends what was collected. Never throws: what cannot be written is forgotten. */
  readonly save: () => void;
}

export interface UseRecorderOptions {
  readonly layout: DiskLayout;
  readonly now: () => number;
  readonly readOnly: boolean;
  readonly isTrusted: () => boolean;
  readonly writeIndex: (text: string) => void;
}

/** One listener for all recorders of the process. */
const unsaved = new Set<() => void>();
let listening = false;

function saveAtExit(save: () => void): void {
  unsaved.add(save);
  if (listening) return;
  listening = true;
  process.once("exit", () => {
    for (const each of unsaved) each();
  });
}

export function createUseRecorder(options: UseRecorderOptions): UseRecorder {
  const { layout, now, readOnly } = options;
  let uses = new Map<EntryId, { lastMs: number; count: number }>();
  let puts: string[] = [];
  let blobBytes = 0;
  const save = (): void => {
    unsaved.delete(save);
    const lines = puts;
    if (blobBytes > 0) lines.push(`b ${blobBytes}`);
    for (const [id, use] of uses) lines.push(`u ${use.lastMs} ${use.count} ${id}`);
    uses = new Map();
    puts = [];
    blobBytes = 0;
    if (lines.length === 0 || !options.isTrusted()) return;
    try {
      const size = appendJournal(layout.journal, lines);
      if (size > maxJournalBytes) foldJournal(layout, options.writeIndex);
    } catch {
      // Read-only or full: eviction knows a little less.
    }
  };
  const noted = (): void => {
    if (uses.size + puts.length >= maxPendingLines) save();
    else saveAtExit(save);
  };
  const record: UseRecorder = {
    use: (id) => {
      uses.set(id, { lastMs: now(), count: (uses.get(id)?.count ?? 0) + 1 });
      noted();
    },
    entry: (id, sizeBytes) => {
      puts.push(`p ${now()} ${sizeBytes} ${id}`);
      noted();
    },
    blob: (sizeBytes) => {
      blobBytes += sizeBytes;
      noted();
    },
    save,
  };
  const nothing = (): void => undefined;
  return readOnly ? { use: nothing, entry: nothing, blob: nothing, save: nothing } : record;
}
