import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { CuenvError } from "@cuenv/errors";
import type { ServerSettings, TlsFiles, TlsMaterial } from "@cuenv/server";

/** What the configuration's files hold, which it names relative to itself. @throws {CuenvError} SERVER_CONFIG_INVALID */
export function readTlsMaterial(
  { tls }: ServerSettings,
  configuration: string | undefined,
): TlsMaterial | undefined {
  if (tls === undefined) return undefined;
  const read = (field: keyof TlsFiles, name: string): Buffer => {
    const path = resolve(dirname(configuration ?? ""), name);
    try {
      return readFileSync(path);
    } catch (cause) {
      throw new CuenvError("SERVER_CONFIG_INVALID", `cannot read ${path}: tls.${field} names it`, {
        cause,
        hint: "A file in PEM, readable by who runs the server.",
      });
    }
  };
  const material = {
    cert: read("certificate", tls.certificate),
    key: read("key", tls.key),
    ...(tls.clientCa === undefined ? {} : { ca: read("clientCa", tls.clientCa) }),
  };
  try {
    createSecureContext(material);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new CuenvError("SERVER_CONFIG_INVALID", `cannot use the files of tls: ${found}`, {
      cause,
      hint: "tls.certificate and tls.key are one pair, in PEM.",
    });
  }
  return material;
}
