import type { Server as TlsServer, TLSSocket, TlsOptions } from "node:tls";

/** What a server shows, and whom it asks to show something. */
export interface TlsMaterial {
  /** PEM. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The authority of clients' certificates: then who shows none that it signed is not let in. */
  readonly ca?: Buffer;
}

const leastVersion = "TLSv1.2";

/** As Node's servers take it. */
export function tlsOptions({ cert, key, ca }: TlsMaterial): TlsOptions {
  const isMutual = ca !== undefined;
  return {
    cert,
    key,
    ...(isMutual ? { ca } : {}),
    minVersion: leastVersion,
    requestCert: isMutual,
    rejectUnauthorized: isMutual,
  };
}

/** New connections get what is in `material`; those that are there stay as they are. A server that encrypts nothing stays so. */
export function renewTls(server: object, { cert, key, ca }: TlsMaterial): void {
  if (!isTlsServer(server)) return;
  server.setSecureContext({
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion: leastVersion,
  });
}

function isTlsServer(server: object): server is Pick<TlsServer, "setSecureContext"> {
  return "setSecureContext" in server;
}

/** The common name of the certificate that a client showed, and that was verified. */
export function certificateNameOf(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined;
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  return typeof name === "string" ? name : undefined;
}
