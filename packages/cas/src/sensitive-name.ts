/** Files whose only purpose is to hold credentials, by their name in lower case. */
const names =
  /^(?:\.env(?:\..+)?|\.npmrc|\.netrc|_netrc|\.pypirc|\.pgpass|\.git-credentials|\.htpasswd|id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|.+\.(?:p12|pfx|jks|keystore|kdbx))$/;
/** Templates of them, which are made to be shown. */
const templates = /^\.env\.(?:example|sample|template|dist|defaults)$/;
const paths = /(?:^|\/)(?:\.aws\/credentials|\.docker\/config\.json|\.kube\/config)$/;
const mayHoldKey = /\.(?:pem|key)$/;

/**
 * Why a file must not be stored unless its author names it, or undefined: a folder that is an output as a whole takes along what lies in it
 * (reference/reliability.md T9). `read` is asked only for names that may be a private key's. What packages bring along is public anyway.
 */
export function sensitiveReason(path: string, read: () => Uint8Array): string | undefined {
  const lower = path.toLowerCase();
  if (/(?:^|\/)node_modules\//.test(lower)) return undefined;
  const name = lower.slice(lower.lastIndexOf("/") + 1);
  if ((names.test(name) && !templates.test(name)) || paths.test(lower))
    return "files of this name hold credentials";
  if (!mayHoldKey.test(name)) return undefined;
  return Buffer.from(read()).includes("PRIVATE KEY-----") ? "it is a private key" : undefined;
}
