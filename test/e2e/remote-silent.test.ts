import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createSandbox, cue, temporaryFolder } from "./sandbox.ts";

it.each([
  ["task build", 0],
  ["doctor", 6],
] as const)(
  "cuenv %s ends in time where a remote cache takes connections and never answers, be it to TLS",
  async (line, code) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on("error", () => undefined));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const tasks = { build: { command: "echo built", inputs: [] } };
    const sandbox = createSandbox({ "env.cue": cue({ tasks }) });
    for (const scheme of ["grpc", "grpcs"]) {
      const started = performance.now();
      const run = await sandbox.cuenv(line.split(" "), {
        env: {
          CUENV_CACHE_DIR: join(temporaryFolder(), "cache"),
          CUENV_REMOTE_CACHE_ENDPOINT: `${scheme}://127.0.0.1:${port}`,
          CUENV_REMOTE_CACHE_TIMEOUT: "2",
        },
      });
      // The system gives such a connection up after two minutes.
      expect(performance.now() - started, scheme).toBeLessThan(30_000);
      expect(run.stdout + run.stderr, scheme).toContain("127.0.0.1");
      expect(run.code, run.stdout + run.stderr).toBe(code);
    }
    for (const socket of sockets) socket.destroy();
    server.close();
  },
  150_000,
);
