import type { TrustPolicy } from "@cuenv/cache";
import { CuenvError } from "@cuenv/errors";
import { readTrustFile } from "@cuenv/signer";
import { ownKey } from "../keys/own-key.ts";
import { broken, type Check, note, ok } from "./check.ts";

/** Whose results are used, and what is signed with. Makes no key. */
export function checkTrust(
  policy: TrustPolicy,
  workspaceRoot: string | undefined,
): readonly Check[] {
  if (policy.mode === "off")
    return [
      note(
        "trust",
        "it is off: whoever can write to the cache folder decides what builds give",
        "CUENV_TRUST=local uses this machine's own results, and those of trusted keys.",
      ),
    ];
  return [checkFile(policy, workspaceRoot), checkKey(policy)];
}

function checkFile(policy: TrustPolicy, workspaceRoot: string | undefined): Check {
  try {
    const foreign = workspaceRoot === undefined ? [] : [workspaceRoot];
    const { size } = readTrustFile({ path: policy.trustFile, foreign });
    const keys = `${size} ${size === 1 ? "key" : "keys"} in ${policy.trustFile}`;
    if (size > 0 || policy.mode === "local") return ok("trust", `mode ${policy.mode}; ${keys}`);
    return note(
      "trust",
      `mode ${policy.mode}, and ${keys}: no result is used but this machine's, if at all`,
      "cuenv keys trust FILE takes up the public key of whoever makes results.",
    );
  } catch (error) {
    return failure("trust", error);
  }
}

function checkKey(policy: TrustPolicy): Check {
  try {
    const own = ownKey(policy);
    return own === undefined
      ? ok("signing key", "none yet: one is made when the first result is stored")
      : ok("signing key", `${own.pair.id}, of ${own.from}`);
  } catch (error) {
    return failure("signing key", error);
  }
}

function failure(name: string, error: unknown): Check {
  if (!(error instanceof CuenvError)) throw error;
  return broken(name, `${error.message} [${error.code}]`, error.hint);
}
