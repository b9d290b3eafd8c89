import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hashBytes, hashText } from "@cuenv/digest";
import { describe, expect, it } from "vitest";
import { base, root, run, task, useEngineFolder } from "../test/engine-rig.ts";
import type { TrustPolicy } from "./entry-trust.ts";

useEngineFolder();

const memoPath = (name: string): string => {
  const folder = join(base, "cache/v1/workspaces");
  const found = readdirSync(folder, { recursive: true }).find((path) =>
    String(path).endsWith(`/${name}`),
  );
  return join(folder, String(found));
};

/** What whoever can write to the folder can do: change what is remembered, and the checksum with it. */
function forgeText(name: string, change: (body: string) => string): void {
  const text = readFileSync(memoPath(name), "utf8");
  const body = change(text.slice(65));
  expect(body).not.toBe(text.slice(65));
  writeFileSync(memoPath(name), `${hashText("sha256", body).hash}\n${body}`);
}

function forgeFiles(from: string, to: string): void {
  const bytes = readFileSync(memoPath("files.bin"));
  const body = bytes.subarray(0, -32);
  const at = body.indexOf(Buffer.from(hashText("sha256", from).hash, "hex"));
  expect(at).toBeGreaterThan(0);
  body.write(hashText("sha256", to).hash, at, "hex");
  const checksum = Buffer.from(hashBytes("sha256", body).hash, "hex");
  writeFileSync(memoPath("files.bin"), Buffer.concat([body, checksum]));
}

/** One of an installed package, for only what such a one printed is remembered. */
const toolPath = "node_modules/tool/tool";
const tool = (version: string): string => `#!/usr/bin/env node\nconsole.log(${version});\n`;

function writeWorld(version: "one" | "two"): void {
  writeFileSync(join(root, "src/a"), version);
  mkdirSync(join(root, dirname(toolPath)), { recursive: true });
  writeFileSync(join(root, toolPath), tool(version === "one" ? "1" : "22"));
  chmodSync(join(root, toolPath), 0o755);
}

const built = task({ cache: { ...task().cache, runtime: [`${toolPath} --version`] } });

const hostPath = { hostEnvironment: { PATH: process.env["PATH"] } };

async function keyNow(trust: Partial<TrustPolicy>): Promise<string | undefined> {
  // The stat of what was just written vouches for nothing yet.
  await sleep(150);
  return (await run({ task: built, trust, request: hostPath })).outcome.key;
}

/** Then keys are made of what else is remembered. */
function forgetConclusions(): void {
  rmSync(memoPath("conclusions-test.jsonl"));
}

const forgeries: readonly (readonly [what: string, forge: (old: string) => void])[] = [
  ["the digest of a file", () => forgeFiles("two", "one")],
  [
    "the root of an input tree",
    () => {
      forgetConclusions();
      forgeText("inputs-test.json", (body) => {
        const memo = JSON.parse(body) as { roots: Record<string, string> };
        const [old = ""] = Object.values(memo.roots);
        const roots = Object.fromEntries(Object.keys(memo.roots).map((id) => [id, old]));
        return JSON.stringify({ ...memo, roots });
      });
    },
  ],
  [
    "the key that a task had",
    (old) =>
      // What the tool printed then is a character less, and the Action with it.
      forgeText("conclusions-test.jsonl", (body) =>
        body.replaceAll(
          /\t[0-9a-f]{64}\/(\d+)/g,
          (_, sizeBytes) => `\t${old}/${Number(sizeBytes) - 1}`,
        ),
      ),
  ],
  [
    "what a tool printed",
    () => forgeText("tools.json", (body) => body.replace(/"22(?:\\n)?"/, '"1\\n"')),
  ],
];

describe("T4: what is remembered of entries in a folder that somebody else wrote to", () => {
  it("does not bring a result that nobody signed", async () => {
    for (const mode of ["local", "off"] as const) {
      rmSync(join(base, "cache"), { recursive: true, force: true });
      writeWorld("one");
      await keyNow({ mode });
      await keyNow({ mode });
      forgeText("entries-test.jsonl", (body) => body.replaceAll("out/result", "out/forged"));
      const { outcome } = await run({ task: built, trust: { mode }, request: hostPath });
      // With trust off it works, or this would be no forgery: the stored blob is put where the memo says.
      expect([mode, outcome.kind, existsSync(join(root, "out/forged"))]).toEqual([
        mode,
        "hit",
        mode === "off",
      ]);
    }
  });
});

describe("T3: what is remembered in a folder that somebody else wrote to", () => {
  it.each(forgeries)("does not bring back an earlier result: %s was forged", async (_, forge) => {
    for (const mode of ["local", "off"] as const) {
      rmSync(join(base, "cache"), { recursive: true, force: true });
      writeWorld("one");
      const old = (await keyNow({ mode })) ?? "";
      writeWorld("two");
      const right = await keyNow({ mode });
      expect(right).not.toBe(old);
      expect(await keyNow({ mode })).toBe(right);
      forge(old);
      // With trust off it works, or this would be no forgery.
      expect((await keyNow({ mode })) === right, mode).toBe(mode === "local");
    }
  });

  it("is not taken for another memo", async () => {
    writeWorld("two");
    const right = await keyNow({});
    const inputs = readFileSync(memoPath("inputs-test.json"));
    for (const name of ["tools.json", "files.bin", "entries-test.jsonl", "conclusions-test.jsonl"])
      writeFileSync(memoPath(name), inputs);
    expect(await keyNow({})).toBe(right);
  });

  it("is recalled and left alone by who wrote it, and made anew on another machine or in another mode", async () => {
    const names = ["files.bin", "inputs-test.json", "tools.json", "conclusions-test.jsonl"];
    const written = (): number[] => names.map((name) => statSync(memoPath(name)).mtimeMs);
    writeWorld("two");
    await keyNow({});
    await keyNow({});
    const before = written();
    await keyNow({});
    expect(written()).toEqual(before);
    await keyNow({ mode: "off" });
    const open = written();
    expect(open.filter((time) => before.includes(time))).toEqual([]);
    await keyNow({});
    const again = written();
    expect(again.filter((time) => open.includes(time))).toEqual([]);
    rmSync(join(base, "state"), { recursive: true });
    // Nothing is concluded from a run that finds no result of its own machine.
    await keyNow({});
    await keyNow({});
    expect(written().filter((time) => again.includes(time))).toEqual([]);
  });
});
