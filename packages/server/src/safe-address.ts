/** Encrypted, or on this machine. */
export function isSafe(url: URL): boolean {
  return url.protocol === "https:" || ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
}
