import { readFileSync } from "node:fs";
import { CuenvError } from "@cuenv/errors";
import {
  type AccessPolicy,
  createAccessPolicy,
  createOpenPolicy,
  hashToken,
  parseServerSettings,
  type ServerSettings,
} from "@cuenv/server";
import { isLoopback } from "./listen-address.ts";

const nothing: ServerSettings = {
  tokens: [],
  oidc: [],
  certificates: [],
  tls: undefined,
  anonymousReads: undefined,
  tags: new Map(),
  maxArtifactBytes: undefined,
};

/** @throws {CuenvError} USAGE, SERVER_CONFIG_INVALID */
export function readServerSettings(file: string | undefined): ServerSettings {
  if (file === undefined) return nothing;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new CuenvError("USAGE", `cannot read ${file}: it is not there or not readable`, {
      cause,
    });
  }
  return parseServerSettings(text, file, process.env);
}

/**
 * Whom a server lets in: the tokens of its configuration, those of issuers that it names, and CUENV_SERVER_TOKEN; without any, whoever is on this machine.
 * @throws {CuenvError} SERVER_CONFIG_INVALID where others could come in, and nobody is named
 */
export async function accessPolicy(
  settings: ServerSettings,
  hosts: readonly string[],
  onTrouble: (message: string) => void,
): Promise<AccessPolicy> {
  // Files that secrets are mounted as end with a newline, which no client sends.
  const token = (process.env["CUENV_SERVER_TOKEN"] ?? "").trim();
  const { tokens, certificates, anonymousReads, oidc: issuers } = settings;
  const grants = [...tokens];
  if (token !== "")
    grants.push({
      name: "CUENV_SERVER_TOKEN",
      sha256: hashToken(token),
      namespaces: "*",
      scopes: ["read", "write"],
    });
  const anonymous =
    anonymousReads === undefined
      ? {}
      : { anonymous: { namespaces: anonymousReads, scopes: ["read"] as const } };
  if (issuers.length > 0) {
    const { createOidcIdentity } = await import("@cuenv/server/oidc");
    const oidc = createOidcIdentity({ issuers, onTrouble });
    return createAccessPolicy({ grants, certificates, ...anonymous, oidc });
  }
  if (grants.length > 0 || certificates.length > 0 || anonymousReads !== undefined)
    return createAccessPolicy({ grants, certificates, ...anonymous });
  const host = hosts.find((each) => !isLoopback(each));
  if (host === undefined) return createOpenPolicy();
  throw new CuenvError(
    "SERVER_CONFIG_INVALID",
    `cannot serve at ${host}: other machines could read and write everything, since there is no token`,
    {
      hint: "Set CUENV_SERVER_TOKEN, give --config with tokens (cuenv serve token makes one), or serve 127.0.0.1.",
    },
  );
}
