import { CuenvError } from "@cuenv/errors";
import { makeFolders } from "@cuenv/digest";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import {
  fromBase64,
  isKeyId,
  keyIdOf,
  type PublicKey,
  publicKeyBytes,
  toBase64,
} from "./ed25519.ts";
import { formatTrustLine, parseTrustFile } from "./parse-trust-file.ts";
import { folderProblem } from "./private-path.ts";
import { assertPlace, readTrustFile, type TrustFilePlace } from "./read-trust-file.ts";
import type { TrustedKey, TrustedKeys } from "./trusted-key.ts";
import { whileLocked } from "./while-locked.ts";
import { writePrivateFile } from "./write-private-file.ts";

const header =
  "# Whose results cuenv uses: one key on a line (cuenv keys trust, cuenv keys revoke). See docs/keys.md.\n";

/**
 * Puts keys into the trust file: the line of each is replaced, or added at the end. Comments and the other lines stay as they are.
 * @param change is given what the file says while nobody else changes it; what it throws leaves the file as it is
 * @throws {CuenvError} TRUST_FILE_INVALID, TRUST_FILE_EXPOSED, TRUST_FILE_PLACE, TRUST_FILE_BUSY
 */
export function editTrustFile(
  place: TrustFilePlace,
  change: (trusted: TrustedKeys) => readonly TrustedKey[],
): void {
  const { path } = place;
  assertPlace(place);
  const lock = `${path}.lock`;
  const outcome = attempt(path, () => {
    makeFolders(dirname(path));
    const problem = folderProblem(dirname(path));
    if (problem !== undefined) throw unwritable(path, problem);
    return whileLocked(lock, () => rewrite(place, change));
  });
  if (outcome === "done") return;
  throw new CuenvError("TRUST_FILE_BUSY", `cannot write trust file ${path}: ${lock} is there`, {
    hint: "Another cuenv changes it. If none does, it was ended meanwhile: remove that file.",
    location: { file: path },
  });
}

function rewrite(
  place: TrustFilePlace,
  change: (trusted: TrustedKeys) => readonly TrustedKey[],
): void {
  const { path } = place;
  // What others wrote, or cannot be read, is not written on.
  const keys = change(readTrustFile(place));
  const text = keys.reduce(withTrustLine, readText(path));
  parseTrustFile(text, path);
  const written = writePrivateFile(path, text, "replace");
  if (written.kind === "exposed") throw unwritable(path, written.problem);
}

/** System errors as the trust file's own. */
function attempt<Value>(path: string, step: () => Value): Value {
  try {
    return step();
  } catch (error) {
    if (error instanceof CuenvError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw unwritable(path, code);
  }
}

function unwritable(path: string, problem: string): CuenvError {
  return new CuenvError("TRUST_FILE_EXPOSED", `cannot write trust file ${path}: ${problem}`, {
    hint: "Only you may write to it and to the folders above it; or name another with CUENV_TRUST_FILE.",
    location: { file: path },
  });
}

/** The text of a trust file with this key's line in it. */
export function withTrustLine(text: string, key: TrustedKey): string {
  const line = formatTrustLine(key);
  const lines = text.split("\n");
  const at = lines.findIndex((each) => each.trimStart().split(/[ \t]/, 1)[0] === key.id);
  if (at >= 0) return lines.with(at, line).join("\n");
  const start = text === "" ? header : text;
  return `${start}${start.endsWith("\n") ? "" : "\n"}${line}\n`;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** What `cuenv keys export` prints: the public half, which may be shown to anybody. */
export function formatPublicKey({ id, publicKey }: PublicKey): string {
  return `${id} ${toBase64(publicKey)}`;
}

/**
 * The public keys of a text that `cuenv keys export` printed, one on a line. What a key is trusted for is nothing that its owner
 * says, so there is nothing else on a line.
 * @throws {CuenvError} TRUST_KEY_INVALID with the line
 */
export function parsePublicKeys(text: string, file: string): readonly PublicKey[] {
  const keys: PublicKey[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [id = "", encoded = "", ...more] = line.trim().split(/[ \t]+/);
    const publicKey = fromBase64(encoded, publicKeyBytes);
    if (!isKeyId(id) || publicKey === undefined || keyIdOf(publicKey) !== id || more.length > 0) {
      throw new CuenvError(
        "TRUST_KEY_INVALID",
        `cannot read public key in ${file}: the line is none`,
        {
          hint: "A line is KEY-ID PUBLIC-KEY, as cuenv keys export prints it.",
          location: { file, line: index + 1 },
        },
      );
    }
    keys.push({ id, publicKey });
  }
  return keys;
}
