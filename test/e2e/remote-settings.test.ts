import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { counting, createSandbox, cue } from "./sandbox.ts";

/** One that refuses, one that takes connections and never answers, one that leads nowhere. */
async function endpoints() {
  const silent = createServer((socket) => void socket.on("error", () => undefined));
  const refusing = createServer();
  for (const server of [silent, refusing])
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const portOf = (server: typeof silent): number => (server.address() as AddressInfo).port;
  const ports = { silent: portOf(silent), refusing: portOf(refusing) };
  await new Promise((resolve) => refusing.close(resolve));
  return {
    close: () => void silent.close(),
    urls: [
      `grpc://127.0.0.1:${ports.refusing}`,
      `grpc://127.0.0.1:${ports.silent}`,
      "grpc://192.0.2.1:9092",
    ],
  };
}

describe("a remote cache that cannot be used", () => {
  it("row 42: changes nothing of a run but one warning, whatever it does; the local cache is used", async () => {
    const { urls, close } = await endpoints();
    for (const url of urls) {
      const sandbox = createSandbox({
        "env.cue": cue({ tasks: { build: { ...counting("runs", "echo printed"), inputs: [] } } }),
      });
      const env = { CUENV_REMOTE_CACHE_ENDPOINT: url };
      for (const [run, expected] of [
        [await sandbox.cuenv(["task", "build"], { env }), 1],
        [await sandbox.cuenv(["task", "build"], { env }), 1],
      ] as const) {
        expect(run, run.stderr).toMatchObject({ code: 0, stdout: "printed\n" });
        expect(run.stderr.split("\n").filter((line) => line.includes("warning"))).toHaveLength(1);
        expect(sandbox.count("../runs")).toBe(expected);
      }
    }
    close();
  });
});
