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
import { formatKeyFile, formatTrustLine, generateKeyPair } from "@cuenv/signer/keys";
import type { KeyPair, TrustedKey } from "@cuenv/signer";
import { describe, expect, it } from "vitest";
import { base, events, open, root, run, task, useEngineFolder } from "../test/engine-rig.ts";
import { readStatistics } from "./read-statistics.ts";

useEngineFolder();

const ours = generateKeyPair();

function trustFile(...keys: readonly (KeyPair & Partial<TrustedKey>)[]): void {
  const path = join(base, "config/trusted-keys");
  mkdirSync(dirname(path), { recursive: true });
  const lines = keys.map((key) =>
    formatTrustLine({
      name: undefined,
      roles: ["developer"],
      namespaces: ["default"],
      notBeforeMs: undefined,
      notAfterMs: undefined,
      revoked: undefined,
      ...key,
    }),
  );
  writeFileSync(path, `${lines.join("\n")}\n`, { mode: 0o600 });
}

const machineKey = (): string => join(base, "state/machine.key");
const entries = (): string[] =>
  readdirSync(join(base, "cache/v1/ac"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
const quarantined = (): number => {
  const folder = join(base, "cache/v1/quarantine");
  return existsSync(folder) ? readdirSync(folder).length : 0;
};
const seen = (type: string) => events.filter((event) => event.type === type);

/** As `cp -r` to another machine: same workspace, same cache folder, another machine's key. */
function moveToAnotherMachine(): void {
  rmSync(join(base, "state"), { recursive: true, force: true });
  events.length = 0;
}

describe("trust, mode local", () => {
  it("makes a key of this machine at the first store, for its owner only, and hits with it", async () => {
    const opened = open();
    expect(existsSync(machineKey())).toBe(false);
    await run({ opened });
    expect(statSync(machineKey()).mode & 0o777).toBe(0o600);
    expect((await run()).outcome.kind).toBe("hit");
    expect(seen("trouble")).toEqual([]);
  });

  it("stores nothing with a key whose halves are of two keys, and says so: everybody would refuse that", async () => {
    mkdirSync(dirname(machineKey()), { recursive: true, mode: 0o700 });
    const mixed = { ...ours, seed: generateKeyPair().seed };
    writeFileSync(machineKey(), formatKeyFile(mixed), { mode: 0o600 });
    const { outcome } = await run();
    expect(outcome).toMatchObject({
      kind: "executed",
      notStored: { reason: "untrustedSigner", detail: "there is no key to sign them with" },
    });
    expect(seen("trouble")).toMatchObject([
      { cause: "signer", message: expect.stringContaining("private and its public half") },
    ]);
  });

  it("makes no key for a run that stores nothing", async () => {
    await run({ opened: open({}, true), request: { mode: "read" } });
    expect(existsSync(machineKey())).toBe(false);
  });

  it("takes a copied cache folder for misses, with one warning for its key, and counts them", async () => {
    await run();
    const other = task({ name: "other", outputs: ["out2"] });
    await run({ task: other });
    moveToAnotherMachine();
    expect(await run()).toMatchObject({
      executions: 1,
      outcome: { miss: { reason: "untrusted" } },
    });
    expect((await run()).outcome.kind).toBe("hit");
    const opened = open();
    expect(await run({ task: other, opened })).toMatchObject({ executions: 1 });
    const causes = new Set(seen("trouble").map((event) => "cause" in event && event.cause));
    expect([...causes]).toEqual([expect.stringMatching(/^untrusted ed25519-[0-9a-f]{32}$/)]);
    expect(seen("refused")).toMatchObject([{ reason: "unknownKey" }, { reason: "unknownKey" }]);
    expect(quarantined()).toBe(2);
    expect(readStatistics(join(base, "cache"), { days: 1 }).refused).toEqual({ unknownKey: 2 });
  });

  it("takes none away where only others' keys count, and its own does not", async () => {
    await run();
    const required = { trust: { mode: "required" as const } };
    expect(await run(required)).toMatchObject({ outcome: { miss: { reason: "untrusted" } } });
    expect(quarantined()).toBe(0);
    expect((await run()).outcome.kind).toBe("hit");
  });

  it("takes none away where no key can be made, or the task only reads", async () => {
    await run();
    rmSync(join(base, "state"), { recursive: true });
    writeFileSync(join(base, "state"), "a file");
    expect((await run()).outcome).toMatchObject({ miss: { reason: "untrusted" }, stored: false });
    rmSync(join(base, "state"));
    const reading = { request: { mode: "read" as const } };
    expect((await run(reading)).outcome).toMatchObject({ miss: { reason: "untrusted" } });
    expect([quarantined(), entries().length]).toEqual([0, 1]);
    expect((await run()).outcome).toMatchObject({ stored: true });
    expect([quarantined(), entries().length]).toEqual([1, 1]);
  });

  it("brings no verdicts along with a copied cache folder", async () => {
    await run();
    await run();
    const memo = readdirSync(join(base, "cache/v1/workspaces/2"), { recursive: true });
    expect(memo.some((name) => String(name).endsWith("signatures.bin"))).toBe(true);
    moveToAnotherMachine();
    expect(await run()).toMatchObject({ executions: 1 });
  });

  it("knows the key that another process makes while this one runs", async () => {
    const { outcome } = await run();
    const key = readFileSync(machineKey());
    rmSync(machineKey());
    const opened = open();
    const early = await opened.engine.actions.get({ hash: outcome.key ?? "", sizeBytes: 0 });
    expect(early).toMatchObject({ kind: "miss", reason: "untrusted" });
    writeFileSync(machineKey(), key, { mode: 0o600 });
    expect((await run({ opened })).outcome.kind).toBe("hit");
  });

  it("takes unsigned entries, as earlier versions stored them, for misses without an error", async () => {
    await run({ trust: { mode: "off" } });
    expect(await run()).toMatchObject({
      executions: 1,
      outcome: { miss: { reason: "untrusted" }, stored: true },
    });
    expect(seen("refused")).toMatchObject([{ reason: "unsigned", keyId: undefined }]);
    expect((await run()).outcome.kind).toBe("hit");
  });

  it("T3: takes an entry that was copied to another key for a miss", async () => {
    await run();
    writeFileSync(join(root, "src/a"), "two");
    await run();
    const [one, two] = entries();
    if (one === undefined || two === undefined) throw new Error("there are no two entries");
    writeFileSync(two, readFileSync(one));
    writeFileSync(one, readFileSync(one));
    events.length = 0;
    const outcomes = [await run()];
    writeFileSync(join(root, "src/a"), "one");
    outcomes.push(await run());
    expect(outcomes.map(({ outcome }) => outcome.kind).toSorted()).toEqual(["executed", "hit"]);
    expect(seen("refused")).toMatchObject([{ reason: "keyMismatch" }]);
    expect(readFileSync(join(root, "out/result"), "utf8")).toBe("made of one");
  });

  it("T14: does not use a key that others can read: nothing is stored, believed or taken away, and it says so", async () => {
    await run();
    chmodSync(machineKey(), 0o644);
    events.length = 0;
    const { outcome } = await run();
    expect(outcome).toMatchObject({
      kind: "executed",
      stored: false,
      notStored: { reason: "untrustedSigner" },
    });
    expect(
      seen("trouble").some((event) => "message" in event && event.message.includes("chmod 600")),
    ).toBe(true);
    expect(quarantined()).toBe(0);
    expect(readStatistics(join(base, "cache"), { days: 1 }).refused).toEqual({ unknownKey: 1 });
    chmodSync(machineKey(), 0o600);
    expect((await run()).outcome.kind).toBe("hit");
  });

  it("runs the task where no key can be made, and says why nothing is stored", async () => {
    writeFileSync(join(base, "state"), "a file");
    expect((await run()).outcome).toMatchObject({
      kind: "executed",
      execution: { succeeded: true },
      stored: false,
    });
    expect(seen("trouble")).toMatchObject([
      { cause: "signer", message: expect.stringContaining("XDG_STATE_HOME") },
    ]);
    expect(existsSync(join(base, "cache/v1/ac"))).toBe(false);
  });

  it("takes results of keys that the trust file names, until it revokes them", async () => {
    const theirs = { signingKey: formatKeyFile(ours) };
    await run({ trust: theirs });
    rmSync(join(root, "out"), { recursive: true });
    trustFile(ours);
    expect((await run()).outcome.kind).toBe("hit");
    trustFile({ ...ours, revoked: "always" });
    expect(await run()).toMatchObject({
      executions: 1,
      outcome: { miss: { reason: "untrusted" } },
    });
    expect(seen("refused")).toMatchObject([{ reason: "revokedKey", keyId: ours.id }]);
  });

  it("hits on every machine that has the same key in CUENV_SIGNING_KEY", async () => {
    const ci = { signingKey: formatKeyFile(ours) };
    await run({ trust: ci });
    moveToAnotherMachine();
    expect((await run({ trust: ci })).outcome.kind).toBe("hit");
    expect(existsSync(machineKey())).toBe(false);
  });
});

describe("trust, the other modes", () => {
  it("off: signs nothing and asks for nothing", async () => {
    const off = { mode: "off" } as const;
    await run({ trust: off });
    const [path = ""] = entries();
    expect(readFileSync(path, "utf8")).toContain('"signatures":[]');
    expect((await run({ trust: off })).outcome.kind).toBe("hit");
    expect(existsSync(join(base, "state"))).toBe(false);
  });

  it("required: neither stores nor takes what no key of the trust file signed", async () => {
    await run();
    const required = { mode: "required" } as const;
    const { outcome } = await run({ trust: required });
    expect(outcome).toMatchObject({
      stored: false,
      miss: { reason: "untrusted" },
      notStored: { reason: "untrustedSigner" },
    });
    trustFile(ours);
    const signing = { ...required, signingKey: formatKeyFile(ours) };
    expect((await run({ trust: signing })).outcome).toMatchObject({ stored: true });
    expect((await run({ trust: required })).outcome.kind).toBe("hit");
  });

  it("ci-only: takes results of the main branch's builds, and does not replace them by others", async () => {
    trustFile({ ...ours, roles: ["ci-main"] });
    const only = { mode: "ci-only" } as const;
    await run({ trust: { ...only, signingKey: formatKeyFile(ours) } });
    expect((await run({ trust: only })).outcome.kind).toBe("hit");
    const [path = ""] = entries();
    const before = readFileSync(path);
    expect((await run({ trust: only, request: { force: true } })).outcome).toMatchObject({
      kind: "executed",
      stored: false,
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("T1, T2: a pull request's key does not sign for main, though it can write there", async () => {
    const pr = generateKeyPair();
    trustFile({ ...ours, namespaces: ["main"] }, { ...pr, namespaces: ["pr-7"], roles: ["ci"] });
    const required = { mode: "required" } as const;
    const asPr = { ...required, signingKey: formatKeyFile(pr) };
    const main = { settings: { namespace: "main" } };
    const { outcome } = await run({ ...main, trust: asPr });
    expect(outcome).toMatchObject({ stored: false, notStored: { reason: "untrustedSigner" } });
    await run({ trust: asPr, settings: { namespace: "pr-7" } });
    // Whoever can write files puts his entry where that of main would be.
    const [own = ""] = entries();
    const wanted = join(base, "cache/v1/ac/sha256/main", outcome.key?.slice(0, 2) ?? "");
    mkdirSync(wanted, { recursive: true });
    writeFileSync(join(wanted, outcome.key ?? ""), readFileSync(own));
    expect(await run({ ...main, trust: required })).toMatchObject({ executions: 1 });
    expect(seen("refused")).toMatchObject([{ reason: "wrongNamespace", keyId: pr.id }]);
  });

  it("refuses a trust file in the workspace or the cache folder, and one with a mistake, at once", () => {
    mkdirSync(join(base, "cache"));
    for (const path of [join(root, "trusted-keys"), join(base, "cache/trusted-keys")]) {
      expect(() => open({}, false, { trustFile: path }), path).not.toThrow();
      writeFileSync(path, "", { mode: 0o600 });
      expect(() => open({}, false, { trustFile: path }), path).toThrow(/cannot use trust file/);
    }
    mkdirSync(join(base, "config"));
    writeFileSync(join(base, "config/trusted-keys"), "nonsense\n", { mode: 0o600 });
    expect(() => open()).toThrow(/begins with no key id/);
    expect(() => open({}, false, { mode: "off" })).not.toThrow();
  });

  it("refuses a configured key that is none, or not there, without a word of it", () => {
    expect(() => open({}, false, { signingKey: "secret stuff" })).toThrow(/^((?!secret stuff).)*$/);
    expect(() => open({}, false, { signingKeyFile: join(base, "none.key") })).toThrow(
      /it is not there/,
    );
  });
});
