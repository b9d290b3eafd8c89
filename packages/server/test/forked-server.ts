import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { HostileServerState } from "./hostile-server.ts";

/** The server of hostile-server.ts. */
export interface ForkedServer {
  readonly port: number;
  /** @throws when it has ended, with what it printed */
  state(): Promise<HostileServerState>;
  stop(): Promise<void>;
}

export async function forkServer(): Promise<ForkedServer> {
  const child = fork(fileURLToPath(new URL("hostile-server.ts", import.meta.url)), {
    execArgv: ["--conditions=@cuenv/source"],
    stdio: ["ignore", "inherit", "pipe", "ipc"],
  });
  let printed = "";
  child.stderr?.on("data", (chunk: Buffer) => void (printed += chunk.toString()));
  const { port } = (await answerOf(child, () => printed)) as { readonly port: number };
  return {
    port,
    async state() {
      if (child.exitCode !== null || !child.send("state"))
        throw new Error(`the server ended (${child.exitCode}): ${printed}`);
      return (await answerOf(child, () => printed)) as HostileServerState;
    },
    async stop() {
      if (child.exitCode !== null) return;
      child.send("stop");
      await once(child, "exit");
    },
  };
}

async function answerOf(child: ChildProcess, printed: () => string): Promise<unknown> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the server ended (${String(code)}): ${printed()}`);
  });
  ended.catch(() => undefined);
  const [answer] = (await Promise.race([once(child, "message"), ended])) as [unknown];
  return answer;
}
