import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CacheSettings } from "@cuenv/config";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificates } from "../../test/certificates.ts";
import { readRemoteTls } from "./remote-tls.ts";

const folder = mkdtempSync(join(tmpdir(), "cuenv-remote-tls-"));
const file = (name: string): string => join(folder, name);
beforeAll(async () => {
  const { ca, of } = await makeCertificates(["one", "two"]);
  const files = { ca, cert: of("one").cert, key: of("one").key, other: of("two").key };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(file(name), bytes);
  writeFileSync(file("both"), Buffer.concat([files.key, files.cert]));
  writeFileSync(file("text"), "no PEM");
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Named {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

function read(names: Named, remoteEndpoint = "grpcs://cache.example.com") {
  const path = (name: string | undefined) => (name === undefined ? undefined : file(name));
  const settings: Partial<CacheSettings> = {
    remoteEndpoint,
    remoteCaCertificate: path(names.ca),
    remoteClientCertificate: path(names.cert),
    remoteClientKey: path(names.key),
  };
  return readRemoteTls(settings as CacheSettings);
}

describe("the files of a remote cache's TLS", () => {
  it("are read, a pair also from one file", async () => {
    expect(await read({})).toEqual({});
    expect(Object.keys(await read({ ca: "ca" }))).toEqual(["ca"]);
    expect(Object.keys(await read({ ca: "ca", cert: "cert", key: "key" }))).toHaveLength(3);
    expect(Object.keys(await read({ cert: "both", key: "both" }))).toHaveLength(2);
  });

  it.each<Named>([{ ca: "ca" }, { cert: "cert", key: "key" }])(
    "are refused beside an address without TLS: %o",
    async (names) => {
      const plain = read(names, "grpc://cache.example.com");
      await expect(plain).rejects.toMatchObject({
        code: "CONFIG_VALUE",
        field: "remoteCache.endpoint",
        message: expect.stringContaining(names.ca === undefined ? "clientCertificate" : "caCert"),
      });
      expect(await read({}, "grpc://cache.example.com")).toEqual({});
    },
  );

  it.each([
    [{ cert: "cert", key: "other" }, "clientKey", "clientCertificate", "of another certificate"],
    [{ cert: "cert" }, "clientKey", "clientCertificate", "is not set"],
    [{ key: "key" }, "clientCertificate", "clientKey", "is not set"],
    [{ cert: "text", key: "key" }, "clientCertificate", "text", "not a certificate in PEM"],
    [{ cert: "cert", key: "text" }, "clientKey", "text", "not a private key"],
    [{ ca: "text" }, "caCertificate", "text", "not a certificate in PEM"],
    [{ ca: "nowhere" }, "caCertificate", "nowhere", "ENOENT"],
  ])("are refused with the name of the setting: %o", async (names, field, ...told) => {
    const error: unknown = await read(names).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CONFIG_VALUE", field: `remoteCache.${field}` });
    for (const text of [`remoteCache.${field}`, ...told])
      expect((error as Error).message).toContain(text);
  });
});
