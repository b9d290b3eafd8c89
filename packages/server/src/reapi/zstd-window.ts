import { zstdFrameHeader } from "@cuenv/reapi/zstd";

/** The least and the most that a window can be here (log of bytes): zstd itself takes none that is larger unless it is told to. */
const leastLog = 10;
export const largestWindowLog = 27;

/** Log of the window that a frame needs to be decompressed: so much memory it takes. Of what cannot be told, the most. */
export function windowLogOf(head: Uint8Array): number {
  const log = zstdFrameHeader(head)?.windowLog ?? largestWindowLog;
  return Math.min(largestWindowLog, Math.max(leastLog, log));
}
