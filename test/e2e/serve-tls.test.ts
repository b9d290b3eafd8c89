import { type ChildProcess, spawn } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { connect, type TLSSocket } from "node:tls";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeCertificates } from "../../tools/test-certificates.mjs";
import { launcher, temporaryFolder } from "./sandbox.ts";

/** A service, as an init system runs it: no terminal, nobody at its stdin. */
async function serve(folder: string, settings = "") {
  const config = join(folder, "server.yaml");
  writeFileSync(config, `${settings}\n`);
  const args = [launcher, "serve", "--http", "0", "--json", "--config", config];
  const child = spawn(process.execPath, [...args, "--dir", temporaryFolder()], {
    cwd: temporaryFolder(),
    env: { PATH: process.env["PATH"], HOME: temporaryFolder() },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const line = await new Promise<string>((resolve) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
  });
  const { url, grpcUrl } = JSON.parse(line) as { url: string; grpcUrl: string };
  const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(":") + 1));
  return { child, url, ports: [portOf(url), portOf(grpcUrl)], stderr: () => stderr };
}

function put(folder: string, { cert, key }: { cert: Buffer; key: Buffer }): void {
  writeFileSync(join(folder, "server-key.pem"), key);
  // As certbot and Kubernetes do: another file under the old name.
  writeFileSync(join(folder, "new.pem"), cert);
  renameSync(join(folder, "new.pem"), join(folder, "server.pem"));
}

function shownAt(port: number, ca: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, ca, ALPNProtocols: ["h2", "http/1.1"] };
    const socket: TLSSocket = connect(options, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

function statusOf(
  agent: Agent,
  port: number,
  ca: Buffer,
): Promise<readonly (number | undefined)[]> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path: "/healthz", agent, ca }, (response) => {
      response.resume();
      const local = response.socket.localPort;
      response.once("end", () => resolve([response.statusCode, local]));
    });
    asked.once("error", reject);
    asked.end();
  });
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("close", resolve));
}

describe("cuenv serve with TLS", () => {
  it("shows a new certificate after SIGHUP, over HTTP and gRPC, and keeps the connections that there are", async () => {
    const folder = temporaryFolder();
    const { ca, of, stranger } = await makeCertificates(["old", "new"]);
    put(folder, of("old"));
    const { child, ports, stderr } = await serve(
      folder,
      "tls: {certificate: server.pem, key: server-key.pem}",
    );
    const [http = 0] = ports;
    const shown = () => Promise.all(ports.map((port) => shownAt(port, ca)));
    expect(await shown()).toEqual(["old", "old"]);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const before = await statusOf(agent, http, ca);

    put(folder, { ...of("new"), key: stranger.key });
    child.kill("SIGHUP");
    await expect.poll(stderr, { timeout: 20_000 }).toContain("of before stays in use");
    expect(stderr()).toContain("tls.certificate and tls.key are one pair");
    expect(await shown()).toEqual(["old", "old"]);

    put(folder, of("new"));
    child.kill("SIGHUP");
    await expect.poll(stderr, { timeout: 20_000 }).toContain("TLS certificate renewed");
    expect(await shown()).toEqual(["new", "new"]);
    expect(await statusOf(agent, http, ca)).toEqual(before);
    expect(before[0]).toBe(200);
    agent.destroy();
    child.kill("SIGTERM");
    expect(await ended(child)).toBe(0);
  });
});

it("cuenv serve without TLS stays where SIGHUP comes to it, as nohup wants it", async () => {
  const { child, url, stderr } = await serve(temporaryFolder(), "maxArtifactBytes: 1000");
  child.kill("SIGHUP");
  await expect.poll(stderr, { timeout: 20_000 }).toContain("nothing to read again");
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  child.kill("SIGTERM");
  expect(await ended(child)).toBe(0);
});
