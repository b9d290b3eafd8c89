import { createHash, randomBytes } from "node:crypto";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { createSandbox, cue } from "./sandbox.ts";
import { entryPaths, filesBelow } from "./signed-entry.ts";

const canary = `s3cr3t-${randomBytes(8).toString("hex")}`;
/** So short that a plain hash of it would give it away. */
const pin = "4711";

const resolver = (name: string) => ({
  resolver: { command: "cat", args: [`../secrets/${name}`] },
});

const sandbox = createSandbox({
  "../secrets/token": `${canary}\n`,
  "../secrets/pin": `${pin}\n`,
  "../secrets/key": `-----BEGIN KEY-----\nfirst-${canary}\nsecond-${canary}\n-----END KEY-----\n`,
  "in.txt": "1",
  "env.cue": cue({
    env: { TOKEN: resolver("token"), PIN: resolver("pin"), KEY: resolver("key") },
    tasks: {
      prints: {
        command:
          'echo "token=$TOKEN"; echo "$KEY" >&2; printf "half $TOKEN no newline"; echo made > p.out',
        inputs: ["in.txt"],
        outputs: ["p.out"],
      },
      writes: { command: 'echo "$TOKEN" > w.out', inputs: ["in.txt"], outputs: ["w.out"] },
      nested: {
        command:
          'mkdir -p out/deep; printf "x%.0s" $(seq 70000) > out/deep/f; echo "$KEY" >> out/deep/f',
        inputs: ["in.txt"],
        outputs: ["out"],
      },
      links: { command: 'ln -sfn "$TOKEN" link.out', inputs: ["in.txt"], outputs: ["link.out"] },
      names: {
        command: 'mkdir -p named; : > "named/$TOKEN"',
        inputs: ["in.txt"],
        outputs: ["named"],
      },
      fails: {
        command: 'echo "$TOKEN"; echo "$TOKEN" >&2; exit 3',
        inputs: ["in.txt"],
        outputs: [],
      },
      pin: { command: "echo made > pin.out", inputs: ["in.txt"], outputs: ["pin.out"] },
    },
  }),
});
/** Those that print it, put it into what would be stored, or only have it. */
const tasks = ["prints", "writes", "nested", "links", "fails", "pin"];

/** The files that have it in them. */
function grep(text: string, ...folders: string[]): string {
  return spawnSync("grep", ["-rlasF", text, ...folders], { encoding: "utf8" }).stdout;
}

describe("T9: a planted secret", () => {
  it("is found nowhere: not in the cache, the state, the statistics, keys, logs, reports, errors or summaries", async () => {
    let said = "";
    const run = async (...args: string[]): Promise<string> => {
      const ended = await sandbox.cuenv(args);
      said += `\n$ ${args.join(" ").replaceAll(canary, "…")}\n${ended.stdout}${ended.stderr}`;
      return ended.stdout;
    };
    for (const input of ["1", "2", "2"]) {
      sandbox.write("in.txt", input);
      for (const task of tasks) {
        await run("task", task, "-v");
      }
    }
    await run("task", "prints", "--json");
    await run("task", "prints", "--dry-run", "--json");
    for (const flags of [[], ["--json"], ["--dry-run"], ["-v"]])
      await run("task", "pin", ...flags, "--", canary);
    for (const command of [["why"], ["cache", "key"], ["verify"]])
      await run(...command, "pin", "--", canary, '"quoted"');
    await run("task", "pin", "--summary", sandbox.path("../summary.json"), "--", `x${canary}`);
    said += sandbox.read("../summary.json");
    for (const task of tasks) {
      await run("why", task);
      await run("cache", "key", task, "--json");
    }
    const key = /[0-9a-f]{64}/.exec(await run("cache", "key", "pin"))?.[0] ?? "";
    expect(await run("cache", "show", key)).not.toBe("");
    expect(await run("cache", "attest", key)).not.toBe("");
    await run("cache", "stats", "--json");
    await run("cache", "verify", "--signatures");
    await run("cache", "audit", "--rebuild", "100%", "--json", "prints", "pin");
    await run("task", "nothing-like-this");
    expect(said.split("\n").filter((line) => line.includes(canary))).toEqual([]);
    expect(entryPaths(sandbox).length).toBeGreaterThan(1);
    const folders = [sandbox.cacheDir, sandbox.home];
    expect(grep(canary, ...folders)).toBe("");
    expect(grep(canary.slice(0, 16), ...folders)).toBe("");
    await run("task", "names", "-v");
    await run("task", "names", "-v");
    expect(said).not.toContain(canary);
    // What files are called in the workspace is remembered (docs/trust.md); no result has it.
    for (const folder of ["ac", "cas", "quarantine", "tmp", "stats"])
      expect(grep(canary, join(sandbox.cacheDir, "v1", folder))).toBe("");
    for (const encoding of ["base64", "hex"] as const)
      expect(grep(Buffer.from(canary).toString(encoding).slice(0, 16), ...folders)).toBe("");
    // What was printed is stored masked, so the search is for something that was there.
    expect(grep("half ", join(sandbox.cacheDir, "v1/cas"))).not.toBe("");
  });

  it("cannot be guessed from what is stored: no hash of it is in there", async () => {
    await sandbox.cuenv(["task", "pin"]);
    const guesses = [
      pin,
      `${pin}\n`,
      `PIN=${pin}`,
      `PIN\0${pin}`,
      canary,
      `TOKEN=${canary}`,
    ].flatMap((text) => {
      const hash = createHash("sha256").update(text).digest();
      return [hash.toString("hex"), hash.toString("base64"), hash.toString("base64url")];
    });
    const stored = filesBelow(join(sandbox.cacheDir, "v1"))
      .filter((path) => !path.includes("/compile-cache/"))
      .map((path) => readFileSync(path, "latin1"));
    expect(stored.length).toBeGreaterThan(3);
    for (const guess of guesses)
      expect(stored.filter((text) => text.includes(guess.replace(/=+$/, "")))).toEqual([]);
    // As a value, it stands nowhere beside its name either.
    expect(stored.filter((text) => /"PIN"[^{}]{0,40}4711/.test(text))).toEqual([]);
  });
});

describe("row 12: the token of a remote cache", () => {
  it.each([
    ["as it stands in the user's settings", canary, {}],
    ["by a variable that they name", "${MY_TOKEN}", { MY_TOKEN: canary }],
    ["by cuenv's own variable", undefined, { CUENV_REMOTE_CACHE_AUTH_TOKEN: canary }],
    ["that is none", undefined, { CUENV_REMOTE_CACHE_AUTH_TOKEN: `${canary} \n` }],
  ])("given %s is in no log, report, key, entry or task", async (_, written, env) => {
    const own = createSandbox({
      "env.cue": cue({
        config: { cache: { envMode: "loose" } },
        tasks: { t: { command: "env | grep -i remote; echo done", inputs: [] } },
      }),
    });
    const settings = join(own.home, ".config/cuenv/config.json");
    mkdirSync(dirname(settings), { recursive: true });
    const remoteCache = { endpoint: "grpcs://cache.example.test", authToken: written };
    writeFileSync(settings, JSON.stringify({ cache: { remoteCache } }));
    let said = "";
    for (const args of [
      ["task", "t", "-v"],
      ["task", "t", "--json"],
      ["why", "t"],
      ["cache", "key", "t"],
      ["cache", "config"],
      ["cache", "config", "--json"],
      ["cache", "validate"],
      ["doctor"],
    ]) {
      const { stdout, stderr } = await own.cuenv(args, { env });
      said += stdout + stderr;
    }
    expect(said.split("\n").filter((line) => line.includes(canary))).toEqual([]);
    expect(said).toContain("done");
    expect(grep(canary, own.cacheDir, join(own.home, ".local"))).toBe("");
  });
});
