import type { CacheSettings } from "@cuenv/config";
import { infiniteAgeText, settingTable, writtenByteSize, writtenDuration } from "@cuenv/config";

/** A setting's value as a file would have it; null where there is none. A token that is written out is masked. */
export function writtenValue(field: keyof CacheSettings, value: unknown): unknown {
  const { kind } = settingTable[field].value;
  if (kind === "age") return typeof value === "number" ? writtenDuration(value) : infiniteAgeText;
  if (value === undefined) return null;
  if (kind === "size") return writtenByteSize(value as number);
  if (kind === "token") return shownToken(value as string);
  return value;
}

const mask = "********";

/** A variable's name is no secret, its value is; what stands around `${NAME}` may be. */
export function shownToken(written: string): string {
  return /^\$\{\w+\}$/.test(written) ? written : mask;
}

/** For people: on one line. */
export function valueText(written: unknown): string {
  if (written === null || written === undefined) return "none";
  if (Array.isArray(written)) return written.length === 0 ? "none" : written.join(", ");
  if (typeof written === "object") {
    const pairs = Object.entries(written).map(([name, value]) => `${name}: ${String(value)}`);
    return pairs.length === 0 ? "none" : pairs.join(", ");
  }
  return typeof written === "string" ? written : JSON.stringify(written);
}
