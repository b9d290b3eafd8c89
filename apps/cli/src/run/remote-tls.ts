import { readFileSync } from "node:fs";
import type { CacheSettings } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";

/** What a remote cache is shown, and whom it is believed; PEM. */
export interface RemoteTlsFiles {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Names of the settings below `remoteCache`. */
type Field = "caCertificate" | "clientCertificate" | "clientKey";

/**
 * @throws {CuenvError} CONFIG_VALUE, with the setting, for a file that cannot be read or is not what it has to be, and for an address without TLS beside any of
 * them: whoever names certificates takes the connection for one that has it.
 */
export async function readRemoteTls(settings: CacheSettings): Promise<RemoteTlsFiles> {
  const { remoteCaCertificate: ca, remoteClientCertificate: cert, remoteClientKey: key } = settings;
  if (ca === undefined && cert === undefined && key === undefined) return {};
  if (settings.remoteEndpoint?.startsWith("grpc://") === true)
    throw withoutTls(ca === undefined ? "clientCertificate" : "caCertificate");
  if (cert === undefined && key !== undefined) throw lacking("clientCertificate", "clientKey", key);
  if (key === undefined && cert !== undefined)
    throw lacking("clientKey", "clientCertificate", cert);
  const files = {
    ...(ca === undefined ? {} : { ca: readPem("caCertificate", ca) }),
    ...(cert === undefined ? {} : { cert: readPem("clientCertificate", cert) }),
    ...(key === undefined ? {} : { key: readPem("clientKey", key) }),
  };
  await check(files, settings);
  return files;
}

async function check({ ca, cert, key }: RemoteTlsFiles, settings: CacheSettings): Promise<void> {
  const { createPrivateKey, X509Certificate } = await import("node:crypto");
  const parse = <Value>(
    field: Field,
    path: string | undefined,
    what: string,
    read: () => Value,
  ) => {
    try {
      return read();
    } catch (cause) {
      const problem = `cannot use ${path}, which ${nameOf(field)} names: it is not ${what} in PEM`;
      throw refused(field, problem, { cause });
    }
  };
  const { remoteCaCertificate, remoteClientCertificate, remoteClientKey } = settings;
  // Node takes a file without a certificate as nobody who is believed, and says of the server then that it cannot be verified.
  if (ca !== undefined)
    parse("caCertificate", remoteCaCertificate, "a certificate", () => new X509Certificate(ca));
  if (cert === undefined || key === undefined) return;
  const shown = parse(
    "clientCertificate",
    remoteClientCertificate,
    "a certificate",
    () => new X509Certificate(cert),
  );
  const own = parse("clientKey", remoteClientKey, "a private key (without a password)", () =>
    createPrivateKey(key),
  );
  if (!shown.checkPrivateKey(own))
    throw refused(
      "clientKey",
      `cannot use ${remoteClientKey}, which ${nameOf("clientKey")} names: it is the key of another certificate than ${remoteClientCertificate}, which ${nameOf("clientCertificate")} names`,
      { hint: "The certificate of the client itself comes first in its file." },
    );
}

function readPem(field: Field, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw refused(field, `cannot read ${path}, which ${nameOf(field)} names: ${code}`, { cause });
  }
}

function withoutTls(given: Field): CuenvError {
  const problem = `cannot use an address without TLS (grpc://) for the remote cache: ${nameOf(given)} is set, which nothing would be checked with or shown to`;
  return refused("endpoint", problem, {
    hint: "Write grpcs:// where the server has TLS; else take the certificates out: over grpc:// all that is on the way can read the token and change what comes.",
  });
}

function lacking(field: Field, given: Field, path: string): CuenvError {
  const problem = `cannot use ${path}, which ${nameOf(given)} names: ${nameOf(field)} is not set`;
  return refused(field, problem, { hint: "A certificate and its key are given together." });
}

function nameOf(field: Field): string {
  return `\`remoteCache.${field}\``;
}

function refused(
  field: Field | "endpoint",
  message: string,
  more: { readonly cause?: unknown; readonly hint?: string },
): CuenvError {
  return new CuenvError("CONFIG_VALUE", message, { ...more, field: `remoteCache.${field}` });
}
