import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { CuenvError } from "@cuenv/errors";
import { describe, expect, it, onTestFinished } from "vitest";
import { errorOf, folder, keysOf, other, pair, payload, signed, trusted } from "../test/rig.ts";
import { createVerifier, type VerifierOptions } from "./create-verifier.ts";
import { parsePublicKeys, editTrustFile } from "./edit-trust-file.ts";
import { toBase64 } from "./ed25519.ts";
import type { SignedEnvelope } from "./envelope.ts";
import { formatKeyFile, parseKeyFile } from "./key-file.ts";
import { readKeyFile } from "./machine-key.ts";
import { readOrMakeKey, writeKeyFile } from "./make-key.ts";
import { formatTrustLine, parseTrustFile } from "./parse-trust-file.ts";
import { folderProblem, privacyProblem } from "./private-path.ts";
import { readTrustFile } from "./read-trust-file.ts";
import type { TrustedKey } from "./trusted-key.ts";

/*
 * What is said when something is wrong, whole: it is what people act upon, and where a check that was forgotten shows.
 */

const isRoot = process.geteuid?.() === 0;
const nobody = 65534;
const { id } = pair;

function detail(
  envelope: SignedEnvelope,
  key: Partial<TrustedKey> = {},
  options: Partial<VerifierOptions> = {},
) {
  const verifier = createVerifier({
    mode: "required",
    trusted: keysOf(trusted(pair, key)),
    now: () => 1000,
    ...options,
  });
  return verifier.verify(envelope, { namespace: "default" });
}

const saysOf = ({ code, message, hint, location }: CuenvError) => ({
  code,
  message,
  hint,
  location,
});

describe("what a refusal says", () => {
  const good = signed(pair);
  const [signature] = good.signatures;
  const withSignatures = (...signatures: SignedEnvelope["signatures"]): SignedEnvelope => ({
    ...good,
    signatures,
  });
  it.each<[string, SignedEnvelope, Partial<TrustedKey>, Partial<VerifierOptions>, string]>([
    ["unsigned", withSignatures(), {}, {}, "it has no signature"],
    ["malformedSignature", withSignatures({ keyid: "x", sig: "" }), {}, {}, "its key id is none"],
    [
      "malformedSignature",
      withSignatures({ keyid: id, sig: "x" }),
      {},
      {},
      "its signature is not 64 bytes in base64",
    ],
    [
      "malformedSignature",
      withSignatures(...Array.from({ length: 17 }, () => signature ?? { keyid: "", sig: "" })),
      {},
      {},
      "it has more than 16 signatures",
    ],
    ["unknownKey", signed(other), {}, {}, `the key ${other.id} is not trusted`],
    [
      "badSignature",
      { ...good, payload: Buffer.from("x") },
      {},
      {},
      `its bytes are not what the key ${id} signed`,
    ],
    ["revokedKey", good, { revoked: "always" }, {}, `the key ${id} is revoked`],
    ["notYetValid", good, { notBeforeMs: 1001 }, {}, `the key ${id} is not valid yet`],
    ["expiredKey", good, { notAfterMs: 1000 }, {}, `the key ${id} is not valid any more`],
    ["wrongRole", good, {}, { mode: "ci-only" }, `the key ${id} has not the role ci-main`],
    [
      "wrongNamespace",
      good,
      { namespaces: ["main"] },
      {},
      `the key ${id} is not trusted for default`,
    ],
  ])("%s", (reason, envelope, key, options, text) => {
    expect(detail(envelope, key, options)).toMatchObject({ kind: "refused", reason, detail: text });
  });

  it("at the time that the payload says", () => {
    const since = detail(good, { revoked: 500 });
    const before = detail(good, { notBeforeMs: 500 });
    if (since.kind !== "accepted" || before.kind !== "accepted") throw new Error("not accepted");
    expect(since.refuseTime(500)?.detail).toBe(`the key ${id} is revoked for what was signed then`);
    expect([since.refuseTime(499), before.refuseTime(500), detail(good).kind]).toEqual([
      undefined,
      undefined,
      "accepted",
    ]);
    expect(before.refuseTime(499)?.detail).toBe(`the key ${id} was not valid when it was signed`);
  });

  it("of another key of the same id", () => {
    const verifier = createVerifier({ mode: "local", trusted: keysOf(trusted(pair)) });
    expect(
      verifier.trusts({ id, publicKey: other.publicKey }, { namespace: "default" }),
    ).toMatchObject({ kind: "refused", detail: `another key has the id ${id}` });
    expect(verifier.mode).toBe("local");
  });

  it("names the reason that tells most, whatever the order", () => {
    const reasons = [
      signed(pair, Buffer.from("else")).signatures[0],
      signed(other).signatures[0],
      { keyid: "x", sig: "" },
    ].map((each) => each ?? { keyid: "", sig: "" });
    expect(detail(withSignatures(...reasons))).toMatchObject({ reason: "badSignature" });
    expect(detail(withSignatures(...reasons.toReversed()))).toMatchObject({
      reason: "badSignature",
    });
    expect(detail(withSignatures(...reasons.slice(1).toReversed()))).toMatchObject({
      reason: "unknownKey",
    });
  });
});

describe("what an error of a key file says", () => {
  it("that is not one", () => {
    const what = "key file /k";
    const error = errorOf(() => parseKeyFile("x", what, { file: "/k" }));
    expect(saysOf(error)).toEqual({
      code: "TRUST_KEY_INVALID",
      message: "cannot read key file /k: it is no private key of cuenv",
      hint: "Remove the file, and make one with cuenv keys generate.",
      location: { file: "/k" },
    });
    expect(error.exitCode).toBe(3);
    const variable = errorOf(() => parseKeyFile("x", "it"));
    expect(variable.location).toBeUndefined();
    expect(variable.hint).toBe("Make one with cuenv keys generate.");
    expect(errorOf(() => parseKeyFile(formatKeyFile(pair).replace(id, other.id), "it")).code).toBe(
      "TRUST_KEY_INVALID",
    );
  });

  it("that others can read, and that cannot be read", () => {
    const base = folder();
    const path = join(base, "a.key");
    writeKeyFile(path, pair, "keep");
    chmodSync(path, 0o640);
    expect(saysOf(errorOf(() => readKeyFile(path)))).toEqual({
      code: "TRUST_KEY_EXPOSED",
      message: `cannot use key file ${path}: others may read or write it (mode 640)`,
      hint: `If nobody else had it: chmod 600 ${path}. Otherwise remove it, and revoke the key.`,
      location: { file: path },
    });
    expect(readKeyFile(join(path, "x"))).toBeUndefined();
    const long = join(base, "x".repeat(256));
    expect(saysOf(errorOf(() => readKeyFile(long)))).toEqual({
      code: "TRUST_KEY_INVALID",
      message: `cannot read key file ${long}: ENAMETOOLONG`,
      hint: "Name another folder with XDG_STATE_HOME, or give the key in CUENV_SIGNING_KEY.",
      location: { file: long },
    });
    chmodSync(path, 0o600);
    writeFileSync(path, "x");
    expect(errorOf(() => readKeyFile(path)).message).toBe(
      `cannot read key file ${path}: it is no private key of cuenv`,
    );
    writeFileSync(path, `${formatKeyFile(pair)}${" ".repeat(5000)}`);
    expect(errorOf(() => readKeyFile(path)).code).toBe("TRUST_KEY_INVALID");
  });

  it("that cannot be made", () => {
    const base = folder();
    writeFileSync(join(base, "file"), "");
    const path = join(base, "file/sub/machine.key");
    expect(saysOf(errorOf(() => writeKeyFile(path, pair, "keep")))).toEqual({
      code: "TRUST_KEY_INVALID",
      message: `cannot make key file ${path}: ENOTDIR`,
      hint: "Name a folder that can be written with XDG_STATE_HOME, or give the key in CUENV_SIGNING_KEY.",
      location: { file: path },
    });
    chmodSync(base, 0o777);
    const exposed = join(base, "machine.key");
    expect(saysOf(errorOf(() => readOrMakeKey(exposed)))).toEqual({
      code: "TRUST_KEY_EXPOSED",
      message: `cannot make key file ${exposed}: others may write to its folder ${base} (mode 777)`,
      hint: "Only you may write to it and to the folders above it; or name another with XDG_STATE_HOME.",
      location: { file: exposed },
    });
  });
});

describe("what an error of the trust file says", () => {
  const hint = "A line is: KEY-ID PUBLIC-KEY roles=… namespaces=… (cuenv keys trust writes it).";

  it("of a line, and of too many of them", () => {
    const line = formatTrustLine(trusted(pair));
    expect(saysOf(errorOf(() => parseTrustFile("x", "/t")))).toEqual({
      code: "TRUST_FILE_INVALID",
      message: "cannot read trust file /t: the line begins with no key id",
      hint,
      location: { file: "/t", line: 1, column: 1 },
    });
    const blank = "\n".repeat(9998);
    expect(parseTrustFile(`${line}${blank}`, "/t").size).toBe(1);
    expect(parseTrustFile(`${blank}\n${line}`, "/t").size).toBe(1);
    expect(saysOf(errorOf(() => parseTrustFile(`${blank}\n\n${line}`, "/t")))).toEqual({
      code: "TRUST_FILE_INVALID",
      message: "cannot read trust file /t: it has more than 10000 lines",
      hint,
      location: { file: "/t", line: 10_000, column: 1 },
    });
    const long = `${line} name=${"x".repeat(4096)}`;
    expect(parseTrustFile(`${line}${" ".repeat(4096 - line.length)}`, "/t").size).toBe(1);
    expect(errorOf(() => parseTrustFile(long.slice(0, 4097), "/t")).message).toContain(
      "the line is too long",
    );
    expect(errorOf(() => parseTrustFile(`${line} =x`, "/t")).message).toBe(
      'cannot read trust file /t: there is no field "=x"',
    );
    expect(errorOf(() => parseTrustFile(`${line} roles`, "/t")).message).toContain(
      'there is no field "roles"',
    );
    expect(errorOf(() => parseTrustFile(`${line} ${"y".repeat(100)}=`, "/t")).message).toBe(
      `cannot read trust file /t: there is no field "${"y".repeat(64)}"`,
    );
    expect(errorOf(() => parseTrustFile(`${line} revoked=no`, "/t")).message).toBe(
      "cannot read trust file /t: revoked is always, or a time as 2026-01-31 or 2026-01-31T12:00:00Z",
    );
    expect(errorOf(() => parseTrustFile(`${line} not-after=no`, "/t")).message).toBe(
      "cannot read trust file /t: not-after is a time as 2026-01-31 or 2026-01-31T12:00:00Z",
    );
    expect(
      errorOf(() =>
        parseTrustFile(`${id} ${toBase64(pair.publicKey)} roles=ci,x namespaces=*`, "/t"),
      ).message,
    ).toBe("cannot read trust file /t: the roles are ci-main, ci, developer");
  });

  it("of its place, its modes and its reading", () => {
    const base = folder();
    const path = join(base, "trusted-keys");
    const place = { path, foreign: [join(base, "..x"), join(base, "work")] };
    writeFileSync(path, "", { mode: 0o600 });
    expect(readTrustFile(place).size).toBe(0);
    expect(saysOf(errorOf(() => readTrustFile({ path, foreign: [base] })))).toEqual({
      code: "TRUST_FILE_PLACE",
      message: `cannot use trust file ${path}: it lies in ${base}`,
      hint: "Whoever writes there would say whom to trust; keep it outside, as ~/.config/cuenv/trusted-keys.",
      location: { file: path },
    });
    chmodSync(path, 0o620);
    expect(saysOf(errorOf(() => readTrustFile(place)))).toEqual({
      code: "TRUST_FILE_EXPOSED",
      message: `cannot use trust file ${path}: others may write it (mode 620)`,
      hint: `Make sure of what it says, then: chmod go-w ${path}`,
      location: { file: path },
    });
    const long = join(dirname(path), "x".repeat(256));
    expect(saysOf(errorOf(() => readTrustFile({ path: long, foreign: [] })))).toEqual({
      code: "TRUST_FILE_INVALID",
      message: `cannot read trust file ${long}: ENAMETOOLONG`,
      hint: undefined,
      location: { file: long },
    });
    chmodSync(path, 0o600);
    writeFileSync(path, "#".repeat(4 * 1024 * 1024));
    expect(readTrustFile(place).size).toBe(0);
    writeFileSync(path, "#".repeat(4 * 1024 * 1024 + 1));
    expect(saysOf(errorOf(() => readTrustFile(place)))).toEqual({
      code: "TRUST_FILE_INVALID",
      message: `cannot read trust file ${path}: it is too large`,
      hint: undefined,
      location: { file: path },
    });
  });

  it("of writing it", () => {
    const base = folder();
    mkdirSync(join(base, "open"));
    chmodSync(join(base, "open"), 0o777);
    const path = join(base, "open/trusted-keys");
    expect(
      saysOf(errorOf(() => editTrustFile({ path, foreign: [] }, () => [trusted(pair)]))),
    ).toEqual({
      code: "TRUST_FILE_EXPOSED",
      message: `cannot write trust file ${path}: others may write to its folder ${base}/open (mode 777)`,
      hint: "Only you may write to it and to the folders above it; or name another with CUENV_TRUST_FILE.",
      location: { file: path },
    });
    writeFileSync(join(base, "file"), "");
    const bad = trusted(pair, { name: "a b" });
    expect(
      errorOf(() => editTrustFile({ path: join(base, "k"), foreign: [] }, () => [bad])).code,
    ).toBe("TRUST_FILE_INVALID");
    expect(
      saysOf(errorOf(() => parsePublicKeys(`# x\n \t \n  x  ${toBase64(payload)}`, "f"))),
    ).toEqual({
      code: "TRUST_KEY_INVALID",
      message: "cannot read public key in f: the line is none",
      hint: "A line is KEY-ID PUBLIC-KEY, as cuenv keys export prints it.",
      location: { file: "f", line: 3 },
    });
    expect(parsePublicKeys(`  ${id} \t ${toBase64(pair.publicKey)}\t`, "f")).toHaveLength(1);
  });
});

describe("what is wrong with a path", () => {
  it("of a file: its kind, its modes, its folder", () => {
    const base = folder();
    const path = join(base, "f");
    writeFileSync(path, "", { mode: 0o600 });
    for (const mode of [0o600, 0o400, 0o700]) {
      chmodSync(path, mode);
      expect([privacyProblem(path, "secret"), privacyProblem(path, "authentic")]).toEqual([
        undefined,
        undefined,
      ]);
    }
    chmodSync(path, 0o644);
    expect(privacyProblem(path, "authentic")).toBeUndefined();
    expect(privacyProblem(path, "secret")).toBe("others may read or write it (mode 644)");
    chmodSync(path, 0o622);
    expect(privacyProblem(path, "authentic")).toBe("others may write it (mode 622)");
    chmodSync(path, 0o600);
    chmodSync(base, 0o720);
    expect(privacyProblem(path, "secret")).toBe(
      `others may write to its folder ${base} (mode 720)`,
    );
    expect(privacyProblem(base, "secret")).toBe("it is not a regular file");
    chmodSync(base, 0o700);
    symlinkSync(path, join(base, "link"));
    expect(privacyProblem(join(base, "link"), "secret")).toBe("it is not a regular file");
  });

  it("of the folders above it", () => {
    const base = folder();
    mkdirSync(join(base, "a/b/c"), { recursive: true });
    const place = join(base, "a/b/c");
    expect(folderProblem(place)).toBeUndefined();
    chmodSync(join(base, "a"), 0o775);
    expect(folderProblem(place)).toBeUndefined();
    chmodSync(join(base, "a"), 0o777);
    expect(folderProblem(place)).toBe(`everybody may write to ${base}/a, a folder above it`);
    chmodSync(join(base, "a"), 0o1777);
    expect(folderProblem(place)).toBeUndefined();
  });

  it.runIf(isRoot)("of other people's", () => {
    const base = folder();
    mkdirSync(join(base, "a/b/c"), { recursive: true });
    writeFileSync(join(base, "a/b/c/f"), "", { mode: 0o600 });
    chownSync(join(base, "a/b/c/f"), nobody, nobody);
    expect(privacyProblem(join(base, "a/b/c/f"), "secret")).toBe("it belongs to user 65534");
    chownSync(join(base, "a/b/c"), nobody, nobody);
    expect(folderProblem(join(base, "a/b/c"))).toBe(
      `its folder ${base}/a/b/c belongs to user 65534`,
    );
    chownSync(join(base, "a/b/c"), 0, 0);
    chownSync(join(base, "a/b"), nobody, nobody);
    expect(folderProblem(join(base, "a/b/c"))).toBeUndefined();
    chmodSync(join(base, "a"), 0o1777);
    expect(folderProblem(join(base, "a/b/c"))).toBe(
      `a folder above it, in ${base}/a, belongs to user 65534`,
    );
  });

  it.runIf(isRoot)(
    "of root's, as somebody else sees it: root's folders above are taken, a foreign file is not",
    () => {
      const base = mkdtempSync(join(tmpdir(), "signer-nobody-"));
      onTestFinished(() => rmSync(base, { recursive: true, force: true }));
      chmodSync(base, 0o755);
      mkdirSync(join(base, "own"));
      for (const [name, uid] of [
        ["own/mine", nobody],
        ["own/other", 1234],
      ] as const) {
        writeFileSync(join(base, name), "", { mode: 0o600 });
        chownSync(join(base, name), uid, uid);
      }
      writeFileSync(join(base, "own/roots"), "", { mode: 0o644 });
      const source = new URL("private-path.ts", import.meta.url).href;
      const program = `const { privacyProblem } = await import(${JSON.stringify(source)}); console.log(JSON.stringify(["mine", "roots", "other"].map((name) => privacyProblem(${JSON.stringify(join(base, "own"))} + "/" + name, "authentic") ?? null)))`;
      const ran = spawnSync(
        "setpriv",
        [
          "--reuid=65534",
          "--regid=65534",
          "--clear-groups",
          process.execPath,
          "--input-type=module",
          "--eval",
          program,
        ],
        { encoding: "utf8" },
      );
      expect(ran.stdout, ran.stderr).toBe('[null,null,"it belongs to user 1234"]\n');
    },
  );
});
