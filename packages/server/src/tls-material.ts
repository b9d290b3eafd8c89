import type { TLSSocket, TlsOptions } from "node:tls";

/** What a server shows, and whom it asks to show something. */
export interface TlsMaterial {
  /** PEM. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The authority of clients' certificates: then who shows none that it signed is not let in. */
  readonly ca?: Buffer;
}

/** As Node's servers take it. */
export function tlsOptions({ cert, key, ca }: TlsMaterial): TlsOptions {
  const isMutual = ca !== undefined;
  return {
    cert,
    key,
    ...(isMutual ? { ca } : {}),
    minVersion: "TLSv1.2",
    requestCert: isMutual,
    rejectUnauthorized: isMutual,
  };
}

/** The common name of the certificate that a client showed, and that was verified. */
export function certificateNameOf(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined;
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  return typeof name === "string" ? name : undefined;
}
