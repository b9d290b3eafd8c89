import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { cacheStatus, runJson } from "./run-json.ts";
import { counting, createSandbox, cue, type Sandbox } from "./sandbox.ts";
import {
  type Entry,
  entryPaths,
  isSignedBy,
  machineKeyFile,
  readEntry,
  readKey,
  writeBlob,
  writeEntry,
} from "./signed-entry.ts";

const files = {
  "in.txt": "1",
  "env.cue": cue({
    tasks: {
      t: { ...counting("t", "cat in.txt > out; echo said"), inputs: ["in.txt"], outputs: ["out"] },
      u: { ...counting("u", "echo u > out-u"), inputs: ["in.txt"], outputs: ["out-u"] },
    },
  }),
};

const warnings = (stderr: string): number => stderr.match(/warning/g)?.length ?? 0;

/** The same project, cache folder and paths, as another user would have them: without the first one's key. */
const asStranger = (sandbox: Sandbox) => ({
  env: { XDG_STATE_HOME: join(sandbox.home, "other-state") },
});

async function stdoutOf(sandbox: Sandbox, args: readonly string[], env = {}): Promise<string> {
  const run = await sandbox.cuenv(args, { env });
  expect(run.code, run.stderr).toBe(0);
  return run.stdout;
}

describe.concurrent("signed results", () => {
  it("row 28: are signed with this machine's key, which lies outside the cache folder, so that any DSSE verifier agrees", async () => {
    const own = createSandbox(files);
    await cacheStatus(own, ["t"]);
    const [entry = ""] = entryPaths(own);
    expect(isSignedBy(entry, readKey(machineKeyFile(own)))).toBe(true);
    expect(statSync(machineKeyFile(own)).mode & 0o777).toBe(0o600);
    expect(readEntry(entry).payload).toMatchObject({
      namespace: "default",
      exitCode: 0,
      keyEpoch: 0,
      builder: { id: "local" },
    });
    expect(await cacheStatus(own, ["t"])).toEqual({ t: "hit" });
  });

  it("row 28: a copied cache folder is untrusted: misses, one warning for its key, right outputs", async () => {
    const own = createSandbox(files);
    await cacheStatus(own, ["t", "u"]);
    const run = await runJson(own, ["t", "u"], asStranger(own));
    expect(run.summary).toMatchObject({ hits: 0, misses: 2, exitCode: 0 });
    expect(warnings(run.stderr), run.stderr).toBe(1);
    expect(run.stderr).toContain(readKey(machineKeyFile(own)).id);
    expect((await runJson(own, ["t", "u"], asStranger(own))).summary).toMatchObject({ hits: 2 });
    const stats = JSON.parse(await stdoutOf(own, ["cache", "stats", "--json"])) as {
      refused: unknown;
    };
    expect(stats.refused).toEqual({ unknownKey: 2 });
  });

  it("row 28: what was forged, re-signed, stripped or put under another key is a miss with a warning, and never used", async () => {
    const own = createSandbox(files);
    await cacheStatus(own, ["t"]);
    const [entry = ""] = entryPaths(own);
    const { payload } = readEntry(entry);
    const evil = {
      ...payload,
      outputs: [{ kind: "file", path: "out", digest: writeBlob(own, "evil"), executable: false }],
    };
    const thief = createSandbox(files);
    await stdoutOf(thief, ["keys", "generate"]);
    const key = readKey(machineKeyFile(thief));
    const ours = readKey(machineKeyFile(own)).id;
    const forgeries: readonly (() => void)[] = [
      () => writeEntry(entry, evil),
      () => writeEntry(entry, evil, key),
      () => writeEntry(entry, evil, key, ours),
      () => writeEntry(entry, payload),
    ];
    for (const [index, forge] of forgeries.entries()) {
      forge();
      own.remove("out");
      const run = await runJson(own, ["t"]);
      expect(
        [own.read("out"), run.summary["misses"], warnings(run.stderr)],
        `${index}: ${run.stderr}`,
      ).toEqual(["1", 1, 1]);
    }
    expect(await cacheStatus(own, ["t"])).toEqual({ t: "hit" });
  });

  it("makes a refused result an exit code with --strict-signatures; the task's own goes first", async () => {
    const own = createSandbox(files);
    const strict = ["task", "t", "--strict-signatures"];
    expect((await own.cuenv(strict)).code).toBe(0);
    const run = await own.cuenv(strict, asStranger(own));
    expect([run.code, run.stdout]).toEqual([70, "said\n"]);
    expect(run.stderr).toContain("unknownKey 1");
    expect((await own.cuenv(strict, asStranger(own))).code).toBe(0);
  });

  it("takes unsigned results, as earlier versions stored them, for misses without an error", async () => {
    const own = createSandbox(files);
    await cacheStatus(own, ["t"], { env: { CUENV_TRUST: "off" } });
    expect(existsSync(machineKeyFile(own))).toBe(false);
    expect(await cacheStatus(own, ["t"])).toEqual({ t: "miss" });
    expect(await cacheStatus(own, ["t"])).toEqual({ t: "hit" });
  });
});

describe.concurrent("keys", () => {
  it("T6: are trusted, revoked and purged: Bob uses what Ann built, until he does not", async () => {
    const ann = createSandbox(files);
    const bob = createSandbox(files, { beside: ann });
    const asBob = asStranger(ann).env;
    const stateOf = async (): Promise<string | undefined> =>
      (await cacheStatus(bob, ["t"], { env: { ...asBob, CUENV_CACHE: "read" } }))["t"];
    await cacheStatus(ann, ["t"]);
    ann.write("ann.pub", await stdoutOf(ann, ["keys", "export"]));
    const { id } = readKey(machineKeyFile(ann));
    expect(ann.read("ann.pub")).toMatch(new RegExp(`^${id} \\S{44}\n$`));
    const trust = ["keys", "trust", ann.path("ann.pub"), "--name", "ann"];
    await stdoutOf(bob, trust, asBob);
    const listed = JSON.parse(await stdoutOf(bob, ["keys", "list", "--json"], asBob)) as {
      keys: unknown;
    };
    expect(listed.keys).toEqual([
      { id, name: "ann", state: "trusted", roles: ["developer"], namespaces: ["default"] },
    ]);
    expect(await stateOf()).toBe("hit");
    await stdoutOf(bob, ["keys", "revoke", id], asBob);
    expect(await stateOf()).toBe("miss");
    expect((await bob.cuenv(trust, { env: asBob })).code).toBe(2);
    expect(await stdoutOf(bob, ["cache", "purge", "--key-id", id], asBob)).toContain(
      "Removed 1 result ",
    );
    expect(entryPaths(ann)).toEqual([]);
  });

  it("rotate: the old key is trusted as long as it was said", async () => {
    const own = createSandbox(files);
    await cacheStatus(own, ["t"]);
    const old = readKey(machineKeyFile(own)).id;
    await stdoutOf(own, ["keys", "rotate"]);
    expect(readKey(machineKeyFile(own)).id).not.toBe(old);
    expect(await cacheStatus(own, ["t"])).toEqual({ t: "hit" });
    const other = createSandbox(files);
    await cacheStatus(other, ["t"]);
    await stdoutOf(other, ["keys", "rotate", "--keep", "0s"]);
    expect(await cacheStatus(other, ["t"])).toEqual({ t: "miss" });
  });

  it("of CI: CUENV_SIGNING_KEY signs and is trusted on every runner; tasks do not see it", async () => {
    const ci = createSandbox({
      ...files,
      "env.cue": cue({
        tasks: {
          t: {
            command: "env > out",
            inputs: [],
            outputs: ["out"],
            cacheConfig: { envMode: "loose" },
          },
        },
      }),
    });
    await stdoutOf(ci, ["keys", "generate", "ci.key"]);
    const env = { CUENV_SIGNING_KEY: ci.read("ci.key"), CUENV_TRUST: "ci-only" };
    const { id } = readKey(ci.path("ci.key"));
    ci.write("ci.pub", await stdoutOf(ci, ["keys", "export", "ci.key"]));
    await stdoutOf(ci, ["keys", "trust", "ci.pub", "--role", "ci-main"]);
    expect(await cacheStatus(ci, ["t"], { env })).toEqual({ t: "miss" });
    expect(ci.read("out")).not.toContain("cuenv-private-key");
    const reader = { env: { CUENV_TRUST: "ci-only", CUENV_CACHE: "read" } };
    expect(await cacheStatus(ci, ["t"], { env: { ...env, ...reader.env } })).toEqual({ t: "hit" });
    expect(readEntry(entryPaths(ci)[0] ?? "").signatures.map(({ keyid }) => keyid)).toEqual([id]);
    expect(existsSync(machineKeyFile(ci))).toBe(false);
  });

  it("are never printed: not the private half of any, in any command", async () => {
    const own = createSandbox(files);
    const secret = async (): Promise<string> => {
      await own.cuenv(["keys", "generate"]);
      return /private (\S+)/.exec(readFileSync(machineKeyFile(own), "utf8"))?.[1] ?? "";
    };
    const key = await secret();
    expect(key).toHaveLength(44);
    for (const args of [
      ["keys", "list"],
      ["keys", "list", "--json"],
      ["keys", "export"],
      ["keys", "generate"],
      ["task", "t", "-v"],
      ["keys", "rotate"],
    ]) {
      const { stdout, stderr } = await own.cuenv(args);
      expect(`${stdout}${stderr}`, args.join(" ")).not.toContain(key);
    }
  });
});

describe.concurrent("what is stored", () => {
  it("cache verify --signatures names results that are not trusted, with exit code 4", async () => {
    const own = createSandbox(files);
    await cacheStatus(own, ["t"]);
    expect((await own.cuenv(["cache", "verify", "--signatures"])).code).toBe(0);
    const run = await own.cuenv(["cache", "verify", "--signatures"], asStranger(own));
    expect([run.code, run.stdout]).toEqual([
      4,
      expect.stringContaining("is not trusted (untrustedEntry)"),
    ]);
    expect((await own.cuenv(["cache", "verify"], asStranger(own))).code).toBe(0);
  });

  it("T20: cache audit --rebuild 100% finds a result that was signed with a stolen key", async () => {
    const own = createSandbox(files);
    await cacheStatus(own, ["t", "u"]);
    const audit = ["cache", "audit", "--rebuild", "100%"];
    const sound = await own.cuenv(audit);
    expect([sound.code, sound.stdout], sound.stderr).toEqual([
      0,
      expect.stringContaining("Ran 2 of 2 stored results again: 0 different"),
    ]);
    const stolen = readKey(machineKeyFile(own));
    const entry =
      entryPaths(own).find((path) =>
        JSON.stringify(readEntry(path).payload).includes('"path":"out"'),
      ) ?? "";
    const { payload } = readEntry(entry);
    writeEntry(
      entry,
      {
        ...payload,
        outputs: [{ kind: "file", path: "out", digest: writeBlob(own, "evil"), executable: false }],
      },
      stolen,
    );
    // Nobody can tell by the signature: this is what the audit is for.
    expect(await cacheStatus(own, ["t"], { env: { CUENV_CACHE: "read" } })).toEqual({ t: "hit" });
    expect(own.read("out")).toBe("evil");
    const run = await own.cuenv([...audit, "--json"]);
    expect(run.code, run.stderr).toBe(4);
    const { audited } = JSON.parse(run.stdout) as {
      audited: { task: string; verdict: string; outputs: string[] }[];
    };
    expect(audited.filter(({ verdict }) => verdict === "different")).toMatchObject([
      { task: "t", outputs: ["out"] },
    ]);
    expect(own.read("out")).toBe("1");
    expect((await own.cuenv(audit)).code).toBe(0);
  });

  it("cache audit runs nothing where nothing is read from the cache", async () => {
    const own = createSandbox(files);
    await cacheStatus(own, ["t"]);
    for (const env of [
      { CUENV_CACHE: "off" },
      { CUENV_CACHE: "write" },
      { CUENV_CACHE_ENABLED: "false" },
    ]) {
      const run = await own.cuenv(["cache", "audit", "--rebuild", "100%"], { env });
      expect([run.code, run.stdout, run.stderr]).toEqual([
        2,
        "",
        expect.stringContaining("cannot audit"),
      ]);
    }
    expect(own.count("../t")).toBe(1);
  });

  it("cache audit ends with the code of a build in which a task fails, though nothing differs", async () => {
    const own = createSandbox({
      "env.cue": cue({
        tasks: {
          fails: { command: "exit 7", inputs: [] },
          sound: { command: "echo 1 > out", inputs: [], outputs: ["out"] },
        },
      }),
    });
    await own.cuenv(["task", "sound"]);
    const run = await own.cuenv(["cache", "audit", "--rebuild", "100%"]);
    expect(run.stdout).toContain("Ran 1 of 1 stored results again: 0 different.");
    expect(run.code).toBe(7);
  });

  it("cache audit ends when it is interrupted, with the stored results in their places", async () => {
    const own = createSandbox({
      "env.cue": cue({
        tasks: Object.fromEntries(
          ["a", "b", "c"].map((name) => [
            name,
            {
              ...counting(name, `[ ! -e ../again ] || sleep 30; echo made > ${name}.out`),
              inputs: [],
              outputs: [`${name}.out`],
            },
          ]),
        ),
      }),
    });
    await own.cuenv(["task", "*"]);
    own.write("../again", "");
    const ran = (): number =>
      ["a", "b", "c"].reduce((sum, name) => sum + own.read(`../${name}`).split("\n").length - 1, 0);
    let pid = 0;
    const audit = ["cache", "audit", "--rebuild", "100%"];
    const run = own.cuenv(audit, { onStart: (started) => (pid = started) });
    await vi.waitUntil(() => ran() === 4, { timeout: 20_000 });
    process.kill(pid, "SIGINT");
    expect(await run).toMatchObject({ code: 130, stdout: "" });
    expect(ran()).toBe(4);
    expect(["a", "b", "c"].map((name) => own.read(`${name}.out`))).toEqual(Array(3).fill("made\n"));
  });

  it("T20: it compares what was printed, too, unless asked not to, and outputs that a task would leave as they are", async () => {
    const own = createSandbox({
      "env.cue": `package cuenv
tasks: t: {command: "echo said; [ -e out ] || echo made > out", inputs: [], outputs: ["out"]}
`,
    });
    await cacheStatus(own, ["t"]);
    const stolen = readKey(machineKeyFile(own));
    const forge = (change: (payload: Entry["payload"]) => Entry["payload"]): void => {
      const [entry = ""] = entryPaths(own);
      writeEntry(entry, change(readEntry(entry).payload), stolen);
    };
    const audit = async (...flags: string[]): Promise<unknown> => {
      const args = ["cache", "audit", "--rebuild", "100%", "--json", ...flags];
      const run = await own.cuenv(args, { env: { CUENV_CACHE: "read" } });
      const { audited } = JSON.parse(run.stdout) as { audited: unknown[] };
      return [run.code, audited[0]];
    };
    forge((payload) => ({ ...payload, stdout: writeBlob(own, "evil\n") }));
    const differs = { verdict: "different", outputs: [], streams: ["stdout"] };
    expect(await audit()).toEqual([4, expect.objectContaining(differs)]);
    expect(await audit("--outputs-only")).toEqual([
      0,
      expect.objectContaining({ verdict: "same", streams: [] }),
    ]);
    const text = await own.cuenv(["cache", "audit", "--rebuild", "100%"]);
    expect([text.code, text.stdout]).toEqual([
      4,
      expect.stringContaining("different  t: what it printed to stdout\n"),
    ]);
    forge((payload) => ({
      ...payload,
      outputs: [{ kind: "file", path: "out", digest: writeBlob(own, "evil"), executable: false }],
    }));
    expect(await audit()).toEqual([
      4,
      expect.objectContaining({ verdict: "different", outputs: ["out"], streams: [] }),
    ]);
    expect(own.read("out")).toBe("made\n");
  });

  it("cache attest prints an in-toto Statement with SLSA provenance, of trusted results only", async () => {
    const own = createSandbox(files);
    const key = (await runJson(own, ["t"])).tasks["t"]?.key ?? "";
    const statement = JSON.parse(
      await stdoutOf(own, ["cache", "attest", key.slice(0, 12)]),
    ) as Record<string, never>;
    const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
    expect(statement).toMatchObject({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "out", digest: { sha256: sha256("1") } }],
      predicateType: "https://slsa.dev/provenance/v1",
      predicate: {
        buildDefinition: {
          externalParameters: { task: "t" },
          resolvedDependencies: [{ name: "in.txt", digest: { sha256: sha256("1") } }],
        },
        runDetails: { metadata: { invocationId: key } },
      },
    });
    const signed = JSON.parse(await stdoutOf(own, ["cache", "attest", key, "--sign"])) as {
      payloadType: string;
      payload: string;
    };
    expect(signed.payloadType).toBe("application/vnd.in-toto+json");
    expect(JSON.parse(Buffer.from(signed.payload, "base64").toString())).toEqual(statement);
    expect((await own.cuenv(["cache", "attest", key], asStranger(own))).code).toBe(2);
    expect((await own.cuenv(["cache", "attest", "0".repeat(64)])).code).toBe(2);
  });
});
