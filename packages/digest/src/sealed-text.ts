import type { Seal } from "./seal.ts";

/** The seal of the rest, a line feed, the rest. Undefined: there is no seal, so nothing is to be kept. */
export function sealText(body: string, seal: Seal | undefined): string | undefined {
  return seal && `${seal(body)}\n${body}`;
}

/** What was sealed; undefined when it is damaged, or when somebody else wrote it. */
export function unsealText(text: string, seal: Seal | undefined): string | undefined {
  const body = text.slice(65);
  return seal !== undefined && text.slice(0, 65) === `${seal(body)}\n` ? body : undefined;
}
