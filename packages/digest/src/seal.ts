import { createHmac, hash } from "node:crypto";

/**
 * What the bytes of a memo are bound with: 64 hexadecimal digits. A {@link checksum} shows damage; a seal under a secret shows also that somebody
 * else wrote them. Each goes over the bytes once, so that the seal costs what the checksum does.
 */
export type Seal = (bytes: string | Uint8Array) => string;

export const checksum: Seal = (bytes) => hash("sha256", bytes, "hex");

/** @param purpose names one memo in one place, so that none can be put in another's */
export function secretSeal(secret: Uint8Array, purpose: string): Seal {
  return (bytes) =>
    createHmac("sha256", secret)
      .update(`${JSON.stringify(purpose)}\n`)
      .update(bytes)
      .digest("hex");
}
