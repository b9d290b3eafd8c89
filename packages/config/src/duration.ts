const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** An age without a limit, "infinite", in a form that JSON can hold. */
export const infiniteAgeMs: number = Number.MAX_SAFE_INTEGER;

/**
 * Milliseconds of `500ms`, `30m`, `1h30m`, `7d`, `1.5h`: numbers with a unit (ms, s, m, h, d, w), from the largest
 * unit to the smallest, each once, rounded to a whole millisecond; undefined for anything else. A bare number has no unit and is refused.
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.length > 64) return undefined;
  const part = /(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)\s*/y;
  let total = 0;
  let previous = Number.POSITIVE_INFINITY;
  while (part.lastIndex < trimmed.length) {
    const match = part.exec(trimmed);
    const scale = unitMs[match?.[2] ?? ""];
    if (match === null || scale === undefined || scale >= previous) return undefined;
    total += Number(match[1]) * scale;
    previous = scale;
  }
  const rounded = Math.round(total);
  return rounded < infiniteAgeMs ? rounded : undefined;
}

/** As a file has it, `30d`, `90s`; `parseDuration` reads it back. */
export function writtenDuration(ms: number): string {
  // Days read better than weeks.
  const units = ["d", "h", "m", "s", "ms"];
  const unit =
    (ms === 0 ? undefined : units.find((name) => ms % (unitMs[name] ?? 1) === 0)) ?? "ms";
  return `${ms / (unitMs[unit] ?? 1)}${unit}`;
}

/** An age without a limit, as files say it. */
export const infiniteAgeText = "infinite";
