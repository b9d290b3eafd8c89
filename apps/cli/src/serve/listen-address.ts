import { isIPv4 } from "node:net";
import { CuenvError } from "@cuenv/errors";

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * `host:port`, `[::1]:port`, `:port` (all interfaces), or a port of this machine.
 * @throws {CuenvError} USAGE
 */
export function parseListenAddress(text: string, flag: "--http" | "--grpc"): ListenAddress {
  const found = /^(?:(?<host>\[[0-9A-Fa-f:.]+\]|[\w.-]*)(?<colon>:))?(?<port>\d{1,5})$/.exec(text);
  const { host = "", colon, port = "" } = found?.groups ?? {};
  if (found === null || Number(port) > 65_535) {
    throw new CuenvError("USAGE", `cannot listen at ${JSON.stringify(text)}: not an address`, {
      hint: `${flag} takes host:port, like 0.0.0.0:8484, or a port of this machine, like 8484.`,
    });
  }
  const name = host.replace(/^\[(.*)\]$/, "$1");
  return { host: colon === undefined ? "127.0.0.1" : name || "::", port: Number(port) };
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

export type Scheme = "http" | "https" | "grpc" | "grpcs";

/** As it stands in a URL. */
export function urlOf({ host, port }: ListenAddress, scheme: Scheme): string {
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
