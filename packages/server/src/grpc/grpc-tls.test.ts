import { credentials } from "@grpc/grpc-js";
import { Capabilities } from "@cuenv/reapi/messages";
import { beforeAll, describe, expect, it } from "vitest";
import { makeCertificates } from "../../test/certificates.ts";
import { openGrpcClient } from "../../test/grpc-client.ts";
import { grant, token } from "../../test/running-server.ts";
import { type RunningGrpcServer, startGrpcServer } from "../../test/running-grpc-server.ts";

describe("TLS", () => {
  let server: RunningGrpcServer;
  let certificates: Awaited<ReturnType<typeof makeCertificates>>;
  beforeAll(async () => {
    certificates = await makeCertificates(["localhost", "ci.acme"]);
  });
  // Names of addresses are no server names of TLS.
  const channel = { "grpc.ssl_target_name_override": "localhost" };
  const ask = async (client: ReturnType<typeof openGrpcClient>, instanceName: string) => {
    try {
      await client.call(
        Capabilities.method.getCapabilities,
        { instanceName },
        { deadlineMs: 3000 },
      );
      return "OK";
    } catch (error) {
      return String(error);
    } finally {
      client.close();
    }
  };

  it("is spoken where a certificate is configured, and tokens count as ever", async () => {
    server = await startGrpcServer({ tls: certificates.of("localhost") });
    const secure = credentials.createSsl(certificates.ca);
    expect(
      await ask(openGrpcClient(server.address, { channel, credentials: secure, token }), ""),
    ).toBe("OK");
    expect(
      await ask(openGrpcClient(server.address, { channel, credentials: secure }), ""),
    ).toContain("UNAUTHENTICATED");
    const plain = openGrpcClient(server.address, { token });
    expect(await ask(plain, "")).toMatch(/UNAVAILABLE|DEADLINE/);
    await server.stop();
  });

  it("lets in by certificate whom the configuration names, and only where it says", async () => {
    server = await startGrpcServer({
      tls: { ...certificates.of("localhost"), ca: certificates.ca },
      access: {
        grants: [grant(token)],
        certificates: [{ commonName: "ci.acme", name: "", namespaces: ["acme"], scopes: ["read"] }],
      },
    });
    const { ca, of, stranger } = certificates;
    const open = ({ cert, key }: typeof stranger, more = {}) =>
      openGrpcClient(server.address, {
        channel,
        credentials: credentials.createSsl(ca, key, cert),
        ...more,
      });
    const client = of("ci.acme");
    expect(await ask(open(client), "acme")).toBe("OK");
    expect(await ask(open(client), "main")).toContain("PERMISSION_DENIED: cert:ci.acme may not");
    expect(await ask(open(client, { token }), "main")).toBe("OK");
    expect(await ask(open(of("localhost")), "acme")).toContain("UNAUTHENTICATED");
    expect(await ask(open(stranger), "acme")).toMatch(/UNAVAILABLE|DEADLINE/);
    const none = credentials.createSsl(certificates.ca);
    expect(
      await ask(openGrpcClient(server.address, { channel, credentials: none, token }), "main"),
    ).toMatch(/UNAVAILABLE|DEADLINE/);
    await server.stop();
  });
});
