import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorOf, folder, keysOf, other, pair, trusted } from "../test/rig.ts";
import { generateKeyPair, toBase64 } from "./ed25519.ts";
import { formatTrustLine, parseTrustFile } from "./parse-trust-file.ts";
import { readTrustFile } from "./read-trust-file.ts";
import { keyRoles, type TrustedKey } from "./trusted-key.ts";

function codeOf(step: () => unknown): unknown {
  try {
    step();
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
  return "none";
}

const head = `${pair.id} ${toBase64(pair.publicKey)}`;
const full = `${head} roles=ci-main,ci namespaces=main,pr-7 name=ci.example not-before=2026-01-01 not-after=2027-01-01T12:00:00Z revoked=2026-06-01T00:00:00.5Z`;

describe("the trust file", () => {
  it("reads keys with all that is said of them, and passes over comments and blanks", () => {
    const keys = parseTrustFile(`# of the team\n\n  \n${full}\r\n`, "trusted-keys");
    expect([...keys.values()]).toEqual([
      {
        id: pair.id,
        publicKey: Buffer.from(pair.publicKey),
        name: "ci.example",
        roles: ["ci-main", "ci"],
        namespaces: ["main", "pr-7"],
        notBeforeMs: Date.parse("2026-01-01"),
        notAfterMs: Date.parse("2027-01-01T12:00:00Z"),
        revoked: Date.parse("2026-06-01T00:00:00.500Z"),
      },
    ]);
    const always = parseTrustFile(`${head} roles=ci namespaces=* revoked=always`, "f").get(pair.id);
    expect(always).toMatchObject({ revoked: "always", namespaces: ["*"], name: undefined });
  });

  it("refuses every mistake, and says file, line and column", () => {
    const ok = "roles=ci namespaces=*";
    const bad = (fields: string): string => `${head} ${fields}`;
    const cases: readonly (readonly [line: string, at: string, reason: string])[] = [
      ["nonsense", "nonsense", "begins with no key id"],
      [pair.id, pair.id.slice(-1), "public key is not"],
      [`${pair.id} AAAA ${ok}`, "AAAA", "public key is not"],
      [`${pair.id} ${toBase64(other.publicKey)} ${ok}`, pair.id, other.id],
      [bad("namespaces=a-b/"), "/", "roles= is missing"],
      [bad("roles=ci"), "i", "namespaces= is missing"],
      [bad("roles=admin namespaces=*"), "admin", "the roles are"],
      [bad("roles= namespaces=*"), " namespaces", "the roles are"],
      [bad("roles=ci namespaces=a/b"), "a/b", "a namespace is"],
      [bad("roles=ci namespaces=a,"), "a,", "a namespace is"],
      [bad("role=ci namespaces=*"), "role=", "did you mean roles=?"],
      [bad(`${ok} roles=developer`), "roles=developer", "roles is there twice"],
      [bad(`${ok} name=a/b`), "a/b", "the name has"],
      [bad(`${ok} not-after=soon`), "soon", "not-after is a time"],
      [bad(`${ok} not-after=2026-02-31`), "2026", "not-after is a time"],
      [bad(`${ok} revoked=yes`), "yes", "revoked is always, or a time"],
      [bad(`${ok} revoked`), "revoked", "there is no field"],
      [bad(`${ok} __proto__=1`), "__proto__", "there is no field"],
      [bad("x".repeat(5000)), pair.id, "too long"],
    ];
    for (const [line, at, reason] of cases) {
      const column = line.lastIndexOf(at) + 1;
      const error = errorOf(() => parseTrustFile(`# first\n${line}\n`, "/etc/keys"));
      expect(error.code, line).toBe("TRUST_FILE_INVALID");
      expect(error.location, line).toEqual({ file: "/etc/keys", line: 2, column });
      expect(error.message, line).toContain(reason);
    }
  });

  it("gives all bad lines at once, and no key of a file that has one", () => {
    const error = errorOf(() => parseTrustFile(`bad\n${full}\nworse\n${full}`, "f"));
    expect([error, ...error.others].map(({ location }) => location?.line)).toEqual([1, 3, 4]);
    expect(error.others[1]?.message).toContain("there twice");
  });

  it("reads back every key that it writes", () => {
    const time = fc.option(
      fc
        .date({ min: new Date(0), max: new Date("9999-01-01"), noInvalidDate: true })
        .map((date) => date.getTime()),
      { nil: undefined },
    );
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/);
    const key = fc.record({
      name: fc.option(name, { nil: undefined }),
      roles: fc.subarray([...keyRoles], { minLength: 1 }),
      namespaces: fc.oneof(
        fc.constant(["*"]),
        fc.array(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/), {
          minLength: 1,
          maxLength: 4,
        }),
      ),
      notBeforeMs: time,
      notAfterMs: time,
      revoked: fc.oneof(time, fc.constant("always" as const)),
    });
    const pairs = Array.from({ length: 5 }, generateKeyPair);
    fc.assert(
      fc.property(fc.array(key, { maxLength: 5 }), (changes) => {
        const keys: TrustedKey[] = changes.map((change, index) => ({
          ...trusted(pairs[index] ?? pair),
          ...change,
        }));
        const text = keys.map((each) => `${formatTrustLine(each)}\n`).join("");
        expect([...parseTrustFile(text, "f").values()].map(formatTrustLine)).toEqual(
          keys.map(formatTrustLine),
        );
        expect(parseTrustFile(text, "f")).toEqual(
          new Map(
            keys.map((each) => [each.id, { ...each, publicKey: Buffer.from(each.publicKey) }]),
          ),
        );
      }),
      { numRuns: 200 },
    );
  });

  it("T18: throws nothing but its own error for any text", () => {
    const words = fc.constantFrom(
      pair.id,
      toBase64(pair.publicKey),
      "roles=ci",
      "namespaces=*",
      "revoked=",
      "__proto__",
      "=",
      " ",
      "\t",
      "\0",
      "\n",
      "#",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(words, { maxLength: 30 }).map((parts) => parts.join(" ")),
        ),
        (text) => {
          expect(["none", "TRUST_FILE_INVALID"]).toContain(codeOf(() => parseTrustFile(text, "f")));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("has no keys when there is no file", () => {
    expect(readTrustFile({ path: join(folder(), "none"), foreign: [] })).toEqual(keysOf());
    expect(readTrustFile({ path: "/dev/null/.config/none", foreign: [] })).toEqual(keysOf());
  });

  it("is not believed in the workspace or the cache folder, whoever owns it", () => {
    const base = folder();
    mkdirSync(join(base, "work"));
    for (const name of ["work/trusted-keys", "work-keys"])
      writeFileSync(join(base, name), `${full}\n`, { mode: 0o600 });
    const foreign = [join(base, "cache"), join(base, "work")];
    const error = errorOf(() => readTrustFile({ path: join(base, "work/trusted-keys"), foreign }));
    expect(error.code).toBe("TRUST_FILE_PLACE");
    expect(error.message).toContain(join(base, "work"));
    expect(errorOf(() => readTrustFile({ path: join(base, "work"), foreign })).code).toBe(
      "TRUST_FILE_PLACE",
    );
    expect(readTrustFile({ path: join(base, "work-keys"), foreign }).size).toBe(1);
    expect(readTrustFile({ path: join(base, "work/none"), foreign }).size).toBe(0);
  });

  it("T14: is not believed when others can write to it, or when it is a link", () => {
    const base = folder();
    const path = join(base, "trusted-keys");
    writeFileSync(path, `${full}\n`);
    for (const mode of [0o660, 0o606, 0o666]) {
      chmodSync(path, mode);
      expect(errorOf(() => readTrustFile({ path, foreign: [] })).code, mode.toString(8)).toBe(
        "TRUST_FILE_EXPOSED",
      );
    }
    chmodSync(path, 0o644);
    expect(readTrustFile({ path, foreign: [] }).size).toBe(1);
    symlinkSync(path, join(base, "link"));
    expect(errorOf(() => readTrustFile({ path: join(base, "link"), foreign: [] })).code).toBe(
      "TRUST_FILE_EXPOSED",
    );
    mkdirSync(join(base, "folder"));
    expect(errorOf(() => readTrustFile({ path: join(base, "folder"), foreign: [] })).code).toBe(
      "TRUST_FILE_EXPOSED",
    );
  });
});
