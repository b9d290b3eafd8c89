import { createHmac, hash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "../test/rig.ts";
import { openSignatureMemo } from "./signature-memo.ts";

const fact = (text: string): string => hash("sha256", text, "base64url");
const secret = randomBytes(32);
const opened = (path: string, key: Uint8Array | undefined = secret) =>
  openSignatureMemo({ path, secret: () => key });

function filled(path: string, ...names: readonly string[]): void {
  const memo = opened(path);
  for (const name of names) memo.add(fact(name));
  memo.save();
}

describe("openSignatureMemo", () => {
  it("knows in the next run what was added in this one", () => {
    const path = join(folder(), "state/signatures");
    filled(path, "a", "b");
    filled(path, "c");
    const memo = opened(path);
    expect(["a", "b", "c", "d"].map((name) => memo.has(fact(name)))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("believes nothing that was written without the secret: a copied cache folder brings no facts", () => {
    const path = join(folder(), "signatures");
    filled(path, "a");
    expect(opened(path, randomBytes(32)).has(fact("a"))).toBe(false);
    const body = Buffer.from(fact("forged"));
    for (const tag of [
      Buffer.alloc(32),
      hash("sha256", body, "buffer"),
      createHmac("sha256", "").update(body).digest(),
      createHmac("sha256", secret).update(body).digest(),
    ]) {
      writeFileSync(path, Buffer.concat([tag, body]));
      expect(opened(path).has(fact("forged"))).toBe(false);
    }
  });

  it("believes nothing of a file in which a bit was flipped, or that was cut or grew", () => {
    const path = join(folder(), "signatures");
    filled(path, "a", "b");
    const good = readFileSync(path);
    for (let index = 0; index < good.length; index += 1) {
      const bad = Buffer.from(good);
      bad.writeUInt8(bad.readUInt8(index) ^ 1, index);
      writeFileSync(path, bad);
      const memo = opened(path);
      expect(memo.has(fact("a")) || memo.has(fact("b")), `byte ${index}`).toBe(false);
    }
    for (const length of [0, 1, 31, 32, 33, good.length - 1]) {
      writeFileSync(path, good.subarray(0, length));
      expect(opened(path).has(fact("a"))).toBe(false);
    }
    writeFileSync(path, Buffer.concat([good, good]));
    expect(opened(path).has(fact("a"))).toBe(false);
  });

  it("remembers nothing beyond the process where there is no secret", () => {
    const path = join(folder(), "signatures");
    const memo = openSignatureMemo({ path, secret: () => undefined });
    memo.add(fact("a"));
    memo.save();
    expect([memo.has(fact("a")), existsSync(path)]).toEqual([true, false]);
  });

  it("is bounded, and keeps what was used last", () => {
    const path = join(folder(), "signatures");
    filled(path, ...Array.from({ length: 8192 }, (_, index) => `old ${index}`));
    const memo = opened(path);
    expect(memo.has(fact("old 8191"))).toBe(true);
    memo.add(fact("new"));
    memo.save();
    expect(statSync(path).size).toBe(32 + 8192 * 43);
    const next = opened(path);
    expect([next.has(fact("old 8191")), next.has(fact("new"))]).toEqual([true, true]);
  });

  it("writes nothing when nothing is new", () => {
    const path = join(folder(), "signatures");
    filled(path, "a");
    const before = statSync(path).ino;
    const memo = opened(path);
    memo.has(fact("a"));
    memo.save();
    expect(statSync(path).ino).toBe(before);
  });
});
