import { constants, type ZstdOptions } from "node:zlib";

/** Fast, and a third of the size of what builds make (reference/performance.md 5). */
export const zstdOptions: ZstdOptions = {
  params: { [constants.ZSTD_c_compressionLevel]: 1 },
  chunkSize: 256 * 1024,
};
