import { CuenvError } from "@cuenv/errors";

/** Where a remote cache is. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
}

/** @throws {CuenvError} CONFIG_VALUE; the configuration was checked before, so this is for who uses the package alone */
export function parseEndpoint(text: string): Endpoint {
  const found =
    /^(?<scheme>grpcs?):\/\/(?<host>\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(?<port>\d{1,5}))?\/?$/.exec(
      text,
    )?.groups;
  const { scheme = "", host = "" } = found ?? {};
  const isSecure = scheme === "grpcs";
  const port = found?.["port"] === undefined ? (isSecure ? 443 : 80) : Number(found["port"]);
  if (found === undefined || port > 65_535) {
    throw new CuenvError(
      "CONFIG_VALUE",
      `cannot use ${JSON.stringify(withoutUser(text))} as remote cache: not an address`,
      {
        hint: "It is like grpcs://cache.example.com:443, or grpc:// without TLS.",
        field: "remoteCache.endpoint",
      },
    );
  }
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port, isSecure };
}

/** A name and a password before the host are nobody's business, and no part of such an address. */
function withoutUser(text: string): string {
  return text.replace(/^(?<scheme>\w+:\/\/)?.*@/, "$<scheme>");
}

/** This machine itself. */
export function isLoopback({ host }: Endpoint): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.\d+){3}$/.test(host);
}

/** For people: without user names, tokens or paths. */
export function endpointName({ host, port }: Endpoint): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
