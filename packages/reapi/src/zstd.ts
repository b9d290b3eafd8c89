/** REAPI's compressor `zstd`, where node:zlib is not enough. */
export { decompressZstd } from "./decompress-zstd.ts";
export { maxFrameHeaderBytes, type ZstdFrameHeader, zstdFrameHeader } from "./zstd-frame-header.ts";
export { zstdFrames } from "./zstd-frames.ts";
