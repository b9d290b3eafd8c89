// Certificates for the tests of TLS: an authority, who it signed, and a stranger who signed himself.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const dayMs = 24 * 60 * 60 * 1000;

/**
 * @param {string[]} names common names; each is signed by the authority, for localhost
 * @returns {Promise<{ca: Buffer, of: (name: string) => {cert: Buffer, key: Buffer}, stranger: {cert: Buffer, key: Buffer}}>} PEM
 */
export async function makeCertificates(names) {
  const authority = await generate("test CA");
  const signed = new Map();
  for (const name of names) signed.set(name, await pem(await generate(name, authority)));
  const { cert: ca } = await pem(authority);
  return {
    ca,
    of: (name) => signed.get(name),
    stranger: await pem(await generate(names.at(-1) ?? "stranger")),
  };
}

async function generate(name, authority) {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const subject = `CN=${name}`;
  const common = {
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + 2 * dayMs),
  };
  const certificate =
    authority === undefined
      ? await X509CertificateGenerator.createSelfSigned(
          {
            ...common,
            name: subject,
            keys,
            extensions: [new BasicConstraintsExtension(true, undefined, true)],
          },
          webcrypto,
        )
      : await X509CertificateGenerator.create(
          {
            ...common,
            subject,
            issuer: authority.certificate.subject,
            publicKey: keys.publicKey,
            signingKey: authority.keys.privateKey,
            extensions: [
              new SubjectAlternativeNameExtension([
                { type: "dns", value: "localhost" },
                { type: "ip", value: "127.0.0.1" },
              ]),
            ],
          },
          webcrypto,
        );
  return { certificate, keys };
}

async function pem({ certificate, keys }) {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = `-----BEGIN PRIVATE KEY-----\n${der.toString("base64")}\n-----END PRIVATE KEY-----\n`;
  return { cert: Buffer.from(certificate.toString("pem")), key: Buffer.from(key) };
}
