import type { Cause } from "@cuenv/cache/explanation";

/** How many components of one kind are listed. */
const componentsShown = 20;

/** All that differs of one kind, a line each. */
export function causeLines({ kind, text, components }: Cause): readonly string[] {
  if (components.length <= 1) {
    const [only] = components;
    return [only === undefined ? `  ${text}` : componentLine(kind, only)];
  }
  const shown = components.slice(0, componentsShown).map((each) => componentLine(kind, each));
  const rest = components.length - shown.length;
  return [...shown, ...(rest > 0 ? [`  … and ${rest} more`] : [])];
}

function componentLine(kind: string, { name, before, after }: Cause["components"][number]): string {
  const what = name === kind ? "" : `${name}  `;
  return `  ${kind.padEnd(12)}  ${what}${short(before)} → ${short(after)}`;
}

function short(text: string | undefined): string {
  if (text === undefined) return "(none)";
  // A key: its first digits will do for cuenv cache show.
  if (/^[0-9a-f]{64}$/.test(text)) return text.slice(0, 12);
  const line = text.trim().replaceAll(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 59)}…` : line === "" ? '""' : line;
}
