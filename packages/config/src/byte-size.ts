const unitBytes: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * Bytes of `2MiB`, `10GB`, `1.5 GiB` (any case; KB, MB, GB, TB are powers of 1000, KiB, MiB, GiB, TiB of 1024) or
 * of bare digits; undefined for anything else. Fractions are rounded down to a whole byte.
 */
export function parseByteSize(text: string): number | undefined {
  const match = /^(\d{1,20}(?:\.\d{1,20})?)\s*([kmgt]?i?b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const unit = match[2]?.toLowerCase() ?? "b";
  const scale = unitBytes[unit];
  if (scale === undefined || (scale === 1 && match[1]?.includes("."))) return undefined;
  const bytes = Math.floor(Number(match[1]) * scale);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** What to write instead of a text that is no size; who writes `100G` means one of two. */
export function byteSizeHint(text: string): string {
  const [, count, letter] = /^\s*(\d+(?:\.\d+)?)\s*([kmgt])i?\s*$/i.exec(text) ?? [];
  if (count === undefined || letter === undefined)
    return "write a number with KiB, MiB, GiB or TiB (powers of 1024), or kB, MB, GB or TB (of 1000), such as 50GiB";
  const unit = letter.toUpperCase();
  return `write ${count}${unit}iB (powers of 1024), or ${count}${unit === "K" ? "k" : unit}B (of 1000)`;
}

/** The shortest whole number with a unit: `10GiB`, `1500MB`, `1048577B`; `parseByteSize` reads it back. */
export function writtenByteSize(bytes: number): string {
  const units = ["TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "kB", "B"];
  const unit = units.find((name) => bytes % (unitBytes[name.toLowerCase()] ?? 1) === 0) ?? "B";
  return `${bytes / (unitBytes[unit.toLowerCase()] ?? 1)}${unit}`;
}
