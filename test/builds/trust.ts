import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "./random.ts";
import type { Build, Checkout } from "./runs.ts";

/** Whose results a checkout uses, and who it is to others. */
export interface Trust {
  readonly signer: string;
  readonly believed: ReadonlySet<string>;
  /** It has a trust file: its key is not that of the others. */
  readonly file: TrustFile | undefined;
}

interface TrustFile {
  readonly mode: "local" | "required" | "ci-only" | "off";
  readonly says: ReadonlyMap<string, Said>;
}

/** What a trust file may say of a key, and for whom it is good then. */
const sayings = {
  nothing: { line: undefined, isGood: () => false },
  main: { line: "roles=ci-main namespaces=default", isGood: () => true },
  developer: {
    line: "roles=developer namespaces=default",
    isGood: (mode) => mode !== "ci-only",
  },
  elsewhere: { line: "roles=ci-main namespaces=another", isGood: () => false },
  revoked: { line: "roles=ci-main namespaces=default revoked=always", isGood: () => false },
  expired: { line: "roles=ci-main namespaces=* not-after=2001-01-01", isGood: () => false },
} as const satisfies Record<
  string,
  { readonly line: string | undefined; readonly isGood: (mode: string) => boolean }
>;

type Said = keyof typeof sayings;

/** All have one key. */
export function commonTrust(): Trust {
  return { signer: "all", believed: new Set(["all"]), file: undefined };
}

/** Each checkout has a key of its own, and says itself whose results it uses. */
export async function separateKeys({ random, checkouts, log }: Build): Promise<void> {
  for (const checkout of checkouts) {
    const { sandbox } = checkout;
    const mode = random.pick(["local", "local", "required", "ci-only", "off"] as const);
    checkout.env = {
      ...checkout.env,
      XDG_STATE_HOME: join(sandbox.root, "../state"),
      CUENV_TRUST_FILE: join(sandbox.root, "../trusted-keys"),
      CUENV_TRUST: mode,
    };
    const { stdout } = await sandbox.cuenv(["keys", "export"], { env: checkout.env });
    checkout.publicKey = stdout.trim();
    setTrust(checkout, { mode, says: new Map() });
  }
  for (const checkout of checkouts)
    for (const other of checkouts) say({ random, log }, checkouts, checkout, other);
}

/** Somebody changes a trust file. */
export function editTrust({ random, checkouts, log }: Build, checkout: Checkout): void {
  if (checkout.trust.file !== undefined)
    say({ random, log }, checkouts, checkout, random.pick(checkouts));
}

function say(
  { random, log }: { readonly random: Random; readonly log: string[] },
  checkouts: readonly Checkout[],
  checkout: Checkout,
  other: Checkout,
): void {
  const { file } = checkout.trust;
  if (file === undefined) return;
  const own = ["nothing", "main", "main", "developer", "revoked"] as const;
  const others = [
    "nothing",
    "main",
    "main",
    "developer",
    "elsewhere",
    "revoked",
    "expired",
  ] as const;
  const said = random.pick<Said>(checkout === other ? own : others);
  const says = new Map(file.says).set(other.name, said);
  const lines = checkouts.flatMap(({ name, publicKey }) => {
    const { line } = sayings[says.get(name) ?? "nothing"];
    return line === undefined ? [] : [`${publicKey} ${line}\n`];
  });
  writeFileSync(checkout.env["CUENV_TRUST_FILE"] ?? "", lines.join(""), { mode: 0o600 });
  setTrust(checkout, { ...file, says });
  log.push(`${checkout.name}, ${file.mode}: says of the key of ${other.name}: ${said}`);
}

function setTrust(checkout: Checkout, file: TrustFile): void {
  const { mode, says } = file;
  const own = says.get(checkout.name) ?? "nothing";
  const good = [...says].filter(([, said]) => sayings[said].isGood(mode)).map(([name]) => name);
  const isOwnGood = mode === "local" && own === "nothing";
  const believed =
    mode === "off" ? ["A", "B", nobody] : [...good, ...(isOwnGood ? [checkout.name] : [])];
  const signer = mode === "off" ? nobody : checkout.name;
  checkout.trust = { signer, believed: new Set(believed), file };
}

/** Of results that are not signed. */
const nobody = "nobody";
