import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { launcher, plainEnvironment, temporaryFolder } from "../e2e/sandbox.ts";

/** CUENV_FULL_SWEEP: as often as is promised; otherwise enough to see that it works. */
const kills = process.env["CUENV_FULL_SWEEP"] === undefined ? 12 : 100;
const writers = 4;

interface Server {
  readonly url: string;
  readonly child: ChildProcess;
}

let running: ChildProcess | undefined;
afterEach(() => void running?.kill("SIGKILL"));

async function start(dir: string): Promise<Server> {
  const env = { ...plainEnvironment(join(dir, "..", "home")), CUENV_CACHE_DURABILITY: "batch" };
  const args = [launcher, "serve", "--http", "0", "--dir", dir, "--json"];
  const child = spawn(process.execPath, args, {
    env,
    cwd: join(dir, ".."),
    stdio: ["ignore", "pipe", "inherit"],
  });
  running = child;
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return { url: (JSON.parse(line) as { url: string }).url, child };
}

const sizes = [100, 20_000, 3_000_000];

/** Puts artifacts until the server is gone. `sent`: by name, the digests that it may have: of the last body that was taken, and of what was begun since. */
async function write(
  url: string,
  writer: number,
  names: { readonly sent: Map<string, Set<string>>; readonly acknowledged: Set<string> },
): Promise<void> {
  for (let count = 0; ; count += 1) {
    // Names come again, so that artifacts are overwritten, too; no two writers have one.
    const name = `w${writer}-${count % 7}`;
    const body = randomBytes(sizes[count % sizes.length] ?? 1);
    const digest = createHash("sha256").update(body).digest("hex");
    names.sent.set(name, (names.sent.get(name) ?? new Set()).add(digest));
    try {
      const { status } = await fetch(`${url}/v8/artifacts/${name}?slug=acme`, {
        method: "PUT",
        body,
      });
      if (status !== 202) throw new Error(`the server answered ${status}`);
      names.acknowledged.add(name);
      // From now on this one, or one that is begun later, and none from before.
      names.sent.set(name, new Set([digest]));
    } catch (error) {
      if (error instanceof TypeError) return;
      throw error;
    }
  }
}

describe("cuenv serve that is killed", () => {
  it(`${kills} times under load: starts, serves whole artifacts only, and all that it acknowledged`, async () => {
    const dir = join(temporaryFolder(), "cache");
    const names = { sent: new Map<string, Set<string>>(), acknowledged: new Set<string>() };
    let server = await start(dir);
    for (let kill = 0; kill < kills; kill += 1) {
      const { url, child } = server;
      const writing = Array.from({ length: writers }, (_, writer) => write(url, writer, names));
      const gone = new Promise((resolve) => child.once("close", resolve));
      await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 400));
      child.kill("SIGKILL");
      await gone;
      await Promise.all(writing);
      server = await start(dir);
      const wrong: string[] = [];
      for (const [name, digests] of names.sent) {
        const answer = await fetch(`${server.url}/v8/artifacts/${name}?slug=acme`);
        const body = Buffer.from(await answer.arrayBuffer());
        const digest = createHash("sha256").update(body).digest("hex");
        const isWhole = answer.status === 200 && digests.has(digest);
        const mayBeMissing = !names.acknowledged.has(name) && answer.status === 404;
        if (!isWhole && !mayBeMissing)
          wrong.push(`${name}: ${answer.status}, ${body.length} bytes`);
        if (isWhole) names.sent.set(name, new Set([digest]));
      }
      expect(wrong, `after kill ${kill + 1}`).toEqual([]);
    }
    expect(names.acknowledged.size).toBeGreaterThan(writers);
  }, 900_000);
});
