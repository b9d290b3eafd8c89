import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { BridgeAddress } from "./run-bridge.ts";

it("a bridge in a process of its own leaves nothing behind in Nx's folder, whoever ended it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nx-bridge-"));
  const file = join(folder, "address.json");
  const source = new URL("./run-bridge.ts", import.meta.url).href;
  const program = `const { runBridge } = await import(${JSON.stringify(source)}); await runBridge(${process.pid}, ${JSON.stringify(file)});`;
  const child = spawn(
    process.execPath,
    ["--conditions=@cuenv/source", "--input-type=module", "-e", program],
    { cwd: folder, stdio: ["ignore", "pipe", "inherit"] },
  );
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const { endUrl, token } = JSON.parse(line.toString()) as BridgeAddress;
    writeFileSync(file, line);
    const exit = once(child, "exit");
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(endUrl, { method: "POST", headers, body: "{}" });
    expect(await answer.json()).toMatchObject({ hits: 0, stored: [], words: [] });
    await exit;
    expect(existsSync(file)).toBe(false);
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
});
