import { spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { errorOf, folder, other, pair, payload, payloadType } from "../test/rig.ts";
import { createSigner } from "./create-signer.ts";
import { generateKeyPair, publicKeyOf, toBase64 } from "./ed25519.ts";
import { formatKeyFile, parseKeyFile } from "./key-file.ts";
import { derivedSecret, machineKeyPath, readKeyFile } from "./machine-key.ts";
import { readOrMakeKey, writeKeyFile } from "./make-key.ts";

const canBeForeign = process.geteuid?.() === 0;

describe("key files", () => {
  it("say that they are of another version, and tell nobody to remove them", () => {
    const later = formatKeyFile(pair).replace("key 1", "key 2");
    expect(errorOf(() => parseKeyFile(later, "key file /k", { file: "/k" }))).toMatchObject({
      code: "TRUST_KEY_INVALID",
      message: "cannot read key file /k: it is a key of another version of cuenv",
      hint: "Use the version that made it, or another key.",
      location: { file: "/k" },
    });
  });

  it("are files", () => {
    const path = folder();
    expect(errorOf(() => readKeyFile(path))).toMatchObject({
      code: "TRUST_KEY_EXPOSED",
      message: `cannot use key file ${path}: it is not a regular file`,
      hint: "Move it away, or put a key file there.",
    });
    const exposed = join(path, "open/a.key");
    writeKeyFile(exposed, pair, "keep");
    chmodSync(join(path, "open"), 0o777);
    expect(errorOf(() => readKeyFile(exposed))).toMatchObject({
      message: expect.stringContaining("others may write to its folder"),
      hint: expect.stringMatching(/^It has to be yours, in a folder that only you can write to\./),
    });
  });

  it("gives back the key that was written, for which only its owner has rights", () => {
    const path = machineKeyPath(join(folder(), "state/cuenv"));
    const made = readOrMakeKey(path);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(lstatSync(join(path, "..")).mode & 0o777).toBe(0o700);
    const read = readKeyFile(path);
    expect(read).toEqual({
      id: made.id,
      publicKey: Buffer.from(made.publicKey),
      seed: Buffer.from(made.seed),
    });
    expect(Buffer.from(publicKeyOf(made.seed)).equals(made.publicKey)).toBe(true);
    expect(createSigner(made).sign(payloadType, payload)).toEqual(
      createSigner(made).sign(payloadType, payload),
    );
    expect(readOrMakeKey(path).id).toBe(made.id);
    expect(readdirSync(join(path, ".."))).toEqual(["machine.key"]);
  });

  it("says undefined when there is none", () => {
    expect(readKeyFile(join(folder(), "no/machine.key"))).toBeUndefined();
  });

  it("keeps the first key that is written, unless it is to be replaced", () => {
    const path = join(folder(), "a.key");
    expect(writeKeyFile(path, pair, "keep")).toBe(true);
    expect(writeKeyFile(path, other, "keep")).toBe(false);
    expect(readKeyFile(path)?.id).toBe(pair.id);
    expect(writeKeyFile(path, other, "replace")).toBe(true);
    expect(readKeyFile(path)?.id).toBe(other.id);
  });

  it("is read, and signs nothing, when its halves are of two keys", () => {
    const mixed = parseKeyFile(formatKeyFile({ ...pair, seed: other.seed }), "it");
    const error = errorOf(() => createSigner(mixed));
    expect(error.code).toBe("TRUST_KEY_INVALID");
    expect(error.message).not.toContain(toBase64(other.seed));
  });

  it("gives processes that make it at once one key", async () => {
    const path = machineKeyPath(join(folder(), "state"));
    const source = pathToFileURL(join(import.meta.dirname, "make-key.ts")).href;
    const program = `const { readOrMakeKey } = await import(${JSON.stringify(source)}); process.stdout.write(readOrMakeKey(${JSON.stringify(path)}).id)`;
    const shell = `for i in 1 2 3 4; do "$0" --input-type=module -e "$1" & done | cat; wait`;
    const ran = spawnSync("sh", ["-c", shell, process.execPath, program], { encoding: "utf8" });
    expect(ran.stderr).toBe("");
    expect(new Set(ran.stdout.match(/ed25519-[0-9a-f]{32}/g)).size).toBe(1);
    expect(ran.stdout.length).toBe(4 * pair.id.length);
  });

  it("T14: refuses a key that others can read, and says what to do", () => {
    const path = join(folder(), "a.key");
    for (const mode of [0o640, 0o604, 0o620, 0o602, 0o644]) {
      writeFileSync(path, formatKeyFile(pair));
      chmodSync(path, mode);
      const error = errorOf(() => readKeyFile(path));
      expect(error.code, mode.toString(8)).toBe("TRUST_KEY_EXPOSED");
      expect(error.hint).toContain("chmod 600");
    }
    chmodSync(path, 0o400);
    expect(readKeyFile(path)?.id).toBe(pair.id);
  });

  it("T14: refuses links, folders, and folders that others can write to", () => {
    const base = folder();
    writeKeyFile(join(base, "real.key"), pair, "keep");
    symlinkSync("real.key", join(base, "link.key"));
    mkdirSync(join(base, "folder.key"));
    for (const name of ["link.key", "folder.key"])
      expect(errorOf(() => readKeyFile(join(base, name))).code).toBe("TRUST_KEY_EXPOSED");
    for (const mode of [0o770, 0o707, 0o777, 0o1777]) {
      chmodSync(base, mode);
      expect(errorOf(() => readKeyFile(join(base, "real.key"))).code, mode.toString(8)).toBe(
        "TRUST_KEY_EXPOSED",
      );
      expect(errorOf(() => writeKeyFile(join(base, "new.key"), pair, "keep")).code).toBe(
        "TRUST_KEY_EXPOSED",
      );
    }
    chmodSync(base, 0o700);
    expect(readdirSync(base).toSorted()).toEqual(["folder.key", "link.key", "real.key"]);
  });

  it("T14: refuses a folder above that everybody can write to", () => {
    const base = folder();
    const path = join(base, "open/cuenv/machine.key");
    mkdirSync(join(base, "open"), { mode: 0o700 });
    writeKeyFile(path, pair, "keep");
    chmodSync(join(base, "open"), 0o777);
    expect(errorOf(() => readKeyFile(path)).message).toContain("everybody may write");
    chmodSync(join(base, "open"), 0o1777);
    expect(readKeyFile(path)?.id).toBe(pair.id);
  });

  it("T14: looks at where links lead to, too", () => {
    const base = folder();
    mkdirSync(join(base, "open"));
    writeKeyFile(join(base, "open/real/machine.key"), pair, "keep");
    symlinkSync("open/real", join(base, "state"));
    expect(readKeyFile(join(base, "state/machine.key"))?.id).toBe(pair.id);
    chmodSync(join(base, "open"), 0o777);
    expect(errorOf(() => readKeyFile(join(base, "state/machine.key"))).code).toBe(
      "TRUST_KEY_EXPOSED",
    );
  });

  it.runIf(canBeForeign)("T14: refuses a key file of another user", () => {
    const path = join(folder(), "a.key");
    writeKeyFile(path, pair, "keep");
    spawnSync("chown", ["65534", path]);
    expect(errorOf(() => readKeyFile(path)).message).toContain("user 65534");
  });

  it("refuses what is no key, and prints nothing of it", () => {
    const good = formatKeyFile(pair);
    const bad = [
      "",
      "x",
      good.replace("key 1", "key 2"),
      good.replace(pair.id, other.id),
      good.replace(toBase64(pair.publicKey), toBase64(other.publicKey)),
      good.replace("private", "Private"),
      good.replace(toBase64(pair.seed), toBase64(pair.seed).slice(4)),
      `${good}\n\nmore`,
      good.slice(0, -10),
    ];
    for (const text of bad) {
      const error = errorOf(() => parseKeyFile(text, "CUENV_SIGNING_KEY"));
      expect(error.code, text).toBe("TRUST_KEY_INVALID");
      expect(`${error.message}${error.hint}`).not.toContain(toBase64(pair.seed).slice(0, 12));
    }
    expect(parseKeyFile(good.replaceAll("\n", "\r\n"), "it").id).toBe(pair.id);
    expect(parseKeyFile(good.trimEnd(), "it").id).toBe(pair.id);
  });

  it("says which folder it cannot make a key in", () => {
    const base = folder();
    writeFileSync(join(base, "file"), "");
    const error = errorOf(() => readOrMakeKey(join(base, "file/machine.key")));
    expect(error.code).toBe("TRUST_KEY_INVALID");
    expect(error.message).toContain("file/machine.key");
  });

  it("derives secrets that differ by key and by purpose, and are not the key", () => {
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
    const one = derivedSecret(pair, "a");
    expect(one.length).toBe(32);
    expect(hex(derivedSecret(pair, "a"))).toBe(hex(one));
    const all = [one, derivedSecret(pair, "b"), derivedSecret(generateKeyPair(), "a"), pair.seed];
    expect(new Set(all.map(hex)).size).toBe(4);
  });

  it("writes the four lines that the comment shows", () => {
    expect(
      formatKeyFile(pair)
        .split("\n")
        .map((line) => line.split(" ")[0]),
    ).toEqual(["cuenv-private-key", "id", "public", "private", ""]);
    expect(readFileSync(new URL("key-file.ts", import.meta.url), "utf8")).toContain(
      "cuenv-private-key 1",
    );
  });
});
