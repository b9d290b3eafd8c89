import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFileIndex } from "./create-file-index.ts";
import type { FileIndex } from "./file-index.ts";
import { hashText } from "./hasher.ts";
import { checksum, type Seal, secretSeal } from "./seal.ts";

const secret = Buffer.from("a secret of this machine");

describe("a seal", () => {
  it("is an HMAC of the purpose and the bytes, a checksum their SHA-256", () => {
    const hmac = createHmac("sha256", secret).update('"files"\nbytes').digest("hex");
    expect(secretSeal(secret, "files")("bytes")).toBe(hmac);
    expect(secretSeal(secret, "files")(Buffer.from("bytes"))).toBe(hmac);
    expect(checksum("bytes")).toBe(hashText("sha256", "bytes").hash);
  });

  it("differs by secret, purpose and bytes, wherever one ends and the next begins", () => {
    const seals = [
      secretSeal(secret, "files")("x"),
      secretSeal(secret, "file")("sx"),
      secretSeal(secret, 'files"\n')("x"),
      secretSeal(Buffer.from("another"), "files")("x"),
      secretSeal(secret, "files")("y"),
      checksum("x"),
    ];
    expect(new Set(seals).size).toBe(seals.length);
  });
});

describe("a file index with a seal", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "cuenv-seal-"));
    writeFileSync(join(root, "a"), "one");
    utimesSync(join(root, "a"), 1, 1);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const stateFile = (): string => join(root, "state.bin");
  /** An hour from now, so that the stat of `a` vouches for it. */
  const open = (seal?: () => Seal | undefined): FileIndex =>
    createFileIndex({
      root,
      digestFunction: "sha256",
      stateFile: stateFile(),
      now: () => Date.now() + 3_600_000,
      ...(seal && { seal }),
    });
  const own = (): Seal => secretSeal(secret, "files");
  const isRecalled = (seal?: () => Seal | undefined): boolean => {
    const index = open(seal);
    index.digest("a");
    const before = readFileSync(stateFile());
    rmSync(stateFile());
    // What it recalled it need not keep again.
    index.save();
    try {
      readFileSync(stateFile());
      return false;
    } catch {
      return true;
    } finally {
      writeFileSync(stateFile(), before);
    }
  };

  it("recalls what it kept itself, and nothing that another secret or none sealed", () => {
    const index = open(own);
    index.digest("a");
    index.save();
    expect(isRecalled(own)).toBe(true);
    expect(isRecalled(() => secretSeal(Buffer.from("another"), "files"))).toBe(false);
    expect(isRecalled(() => secretSeal(secret, "inputs"))).toBe(false);
    expect(isRecalled()).toBe(false);
  });

  it("keeps and recalls nothing as long as there is no secret", () => {
    const index = open(() => undefined);
    index.digest("a");
    index.save();
    expect(() => readFileSync(stateFile())).toThrow("ENOENT");
    const sealed = open(own);
    sealed.digest("a");
    sealed.save();
    expect(open(() => undefined).digest("a")).toEqual(hashText("sha256", "one"));
  });

  it("keeps under a secret that comes while it works", () => {
    let seal: Seal | undefined;
    const index = open(() => seal);
    index.digest("a");
    seal = own();
    index.save();
    expect(isRecalled(own)).toBe(true);
  });
});
