import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { CuenvError } from "@cuenv/errors";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorOf, folder, other, pair, trusted } from "../test/rig.ts";
import {
  editTrustFile,
  formatPublicKey,
  parsePublicKeys,
  withTrustLine,
} from "./edit-trust-file.ts";
import { formatTrustLine } from "./parse-trust-file.ts";
import { readTrustFile, type TrustFilePlace } from "./read-trust-file.ts";
import type { TrustedKey } from "./trusted-key.ts";
import { whileLocked } from "./while-locked.ts";

function setTrustedKey(place: TrustFilePlace, key: TrustedKey): void {
  editTrustFile(place, () => [key]);
}

describe("editTrustFile", () => {
  it("makes the file for its owner only, adds keys and replaces the line of a known one", () => {
    const path = join(folder(), "config/cuenv/trusted-keys");
    const place = { path, foreign: [] };
    setTrustedKey(place, trusted(pair));
    setTrustedKey(place, trusted(other, { name: "other" }));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    setTrustedKey(place, trusted(pair, { revoked: "always" }));
    const keys = readTrustFile(place);
    expect([...keys.keys()]).toEqual([pair.id, other.id]);
    expect(keys.get(pair.id)?.revoked).toBe("always");
    expect(keys.get(other.id)?.name).toBe("other");
  });

  it("keeps what each of many processes puts in at once", () => {
    const path = join(folder(), "trusted-keys");
    const source = new URL("./keys.ts", import.meta.url).href;
    const program = `const { editTrustFile, generateKeyPair } = await import(${JSON.stringify(source)});
      const key = { ...generateKeyPair(), roles: ["developer"], namespaces: ["*"] };
      for (let i = 0; i < 5; i += 1) editTrustFile({ path: ${JSON.stringify(path)}, foreign: [] }, () => [key, { ...key, ...generateKeyPair() }]);`;
    const each = `"$0" --conditions=@cuenv/source --input-type=module -e "$1" &`;
    const shell = `${each.repeat(4)} wait`;
    const ran = spawnSync("sh", ["-c", shell, process.execPath, program], { encoding: "utf8" });
    expect(ran.stderr).toBe("");
    expect(readTrustFile({ path, foreign: [] }).size).toBe(4 * 6);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it("changes nothing when another one is at it, or what is to be changed turns out otherwise", () => {
    const path = join(folder(), "trusted-keys");
    const place = { path, foreign: [] };
    setTrustedKey(place, trusted(pair));
    const before = readFileSync(path, "utf8");
    const refusal = new Error("it is revoked");
    const change = (): never => {
      throw refusal;
    };
    expect(() => editTrustFile(place, change)).toThrow(/cannot write trust file .*it is revoked/);
    expect(existsSync(`${path}.lock`)).toBe(false);
    writeFileSync(`${path}.lock`, "");
    expect(whileLocked(`${path}.lock`, () => setTrustedKey(place, trusted(other)), 20)).toBe(
      "busy",
    );
    expect(readFileSync(path, "utf8")).toBe(before);
    expect(existsSync(`${path}.lock`)).toBe(true);
  });

  it("replaces a line that begins with blanks", () => {
    const revoked = trusted(pair, { revoked: "always" });
    expect(withTrustLine(` \t${formatTrustLine(trusted(pair))}\n`, revoked)).toBe(
      `${formatTrustLine(revoked)}\n`,
    );
  });

  it("keeps comments and other lines as they are, with or without a last line end", () => {
    const mine = formatTrustLine(trusted(pair));
    const theirs = formatTrustLine(trusted(other));
    const revoked = trusted(pair, { revoked: "always" });
    expect(withTrustLine(`# team\n\n${mine}\n# end`, revoked)).toBe(
      `# team\n\n${formatTrustLine(revoked)}\n# end`,
    );
    expect(withTrustLine(`# team`, trusted(other))).toBe(`# team\n${theirs}\n`);
    expect(withTrustLine(`# ${pair.id} was here\n`, trusted(pair))).toBe(
      `# ${pair.id} was here\n${mine}\n`,
    );
    expect(withTrustLine("", trusted(other)).split("\n").slice(1)).toEqual([theirs, ""]);
  });

  it("is changed, and says so, when its lock was removed by hand meanwhile", () => {
    const path = join(folder(), "trusted-keys");
    const place = { path, foreign: [] };
    editTrustFile(place, () => {
      rmSync(`${path}.lock`);
      return [trusted(pair)];
    });
    expect(readFileSync(path, "utf8")).toContain(pair.id);
    const failed = new Error("why nothing was done");
    const fail = (): never => {
      rmSync(`${path}.lock`);
      throw new CuenvError("USAGE", failed.message);
    };
    expect(errorOf(() => editTrustFile(place, fail)).message).toBe(failed.message);
  });

  it("does not write on a file that others wrote, that has a mistake, or that lies in the workspace", () => {
    const base = folder();
    const path = join(base, "trusted-keys");
    writeFileSync(path, "");
    chmodSync(path, 0o666);
    expect(errorOf(() => setTrustedKey({ path, foreign: [] }, trusted(pair))).code).toBe(
      "TRUST_FILE_EXPOSED",
    );
    chmodSync(path, 0o600);
    writeFileSync(path, "nonsense\n");
    expect(errorOf(() => setTrustedKey({ path, foreign: [] }, trusted(pair))).code).toBe(
      "TRUST_FILE_INVALID",
    );
    expect(readFileSync(path, "utf8")).toBe("nonsense\n");
    const open = join(base, "open");
    mkdirSync(open);
    chmodSync(open, 0o777);
    expect(
      errorOf(() => setTrustedKey({ path: join(open, "k"), foreign: [] }, trusted(pair))).code,
    ).toBe("TRUST_FILE_EXPOSED");
    expect(existsSync(join(open, "k"))).toBe(false);
    expect(
      errorOf(() => setTrustedKey({ path: join(base, "k"), foreign: [base] }, trusted(pair))).code,
    ).toBe("TRUST_FILE_PLACE");
    expect(existsSync(join(base, "k"))).toBe(false);
  });
});

describe("public keys", () => {
  it("are read as they were printed", () => {
    const text = `# of ann\n${formatPublicKey(pair)}\r\n\n${formatPublicKey(other)}`;
    expect(parsePublicKeys(text, "f").map(({ id }) => id)).toEqual([pair.id, other.id]);
    expect(parsePublicKeys("", "f")).toEqual([]);
  });

  it("are refused with anything else on their line: what they are trusted for is not theirs to say", () => {
    const wrong = formatPublicKey({ id: pair.id, publicKey: other.publicKey });
    for (const line of ["x", `${formatPublicKey(pair)} roles=ci-main`, wrong, pair.id]) {
      const error = errorOf(() => parsePublicKeys(`\n${line}`, "f"));
      expect(error.code, line).toBe("TRUST_KEY_INVALID");
      expect(error.location, line).toEqual({ file: "f", line: 2 });
    }
  });
});
