import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorOf, folder, other, pair, trusted } from "../test/rig.ts";
import {
  formatPublicKey,
  parsePublicKeys,
  setTrustedKey,
  withTrustLine,
} from "./edit-trust-file.ts";
import { formatTrustLine } from "./parse-trust-file.ts";
import { readTrustFile } from "./read-trust-file.ts";

describe("setTrustedKey", () => {
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
