import { randomBytes } from "node:crypto";

/** What nobody else knows, for the time of one run. */
export function randomToken(): string {
  return randomBytes(32).toString("base64url");
}
