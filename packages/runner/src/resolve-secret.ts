import type { Secret } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import { limitConcurrency } from "./limit-concurrency.ts";
import { runProcess } from "./run-process.ts";

export interface SecretResolverOptions {
  readonly cwd: string;
  /** The whole environment of the resolving commands. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Gives a secret's value. */
export type SecretResolver = (secret: Secret) => Promise<string>;

/** Password managers answer slowly and some lock their vault per call. */
const resolversAtOnce = 4;
/** A resolver that waits for a person to unlock something gets time for that. */
const resolverTimeoutMs = 60_000;
/** A secret is a variable's value; the system takes no longer one. */
const longestSecret = 128 * 1024;

/**
 * Makes the resolver of a run: each command runs once, at its first use, its stdout without the newlines at its end is
 * the value. Its stderr is the user's (a prompt, a warning); what it printed on stdout is in no error.
 * The returned function throws {CuenvError} RUN_SECRET.
 */
export function createSecretResolver(options: SecretResolverOptions): SecretResolver {
  const values = new Map<string, Promise<string>>();
  const limited = limitConcurrency(resolversAtOnce);
  return async (secret) => {
    const id = JSON.stringify(secret.argv);
    let value = values.get(id);
    if (value === undefined) {
      value = limited(() => runResolver(secret, options));
      values.set(id, value);
    }
    return secret.jsonKey === undefined
      ? value
      : fieldOf(await value, secret.jsonKey, cannot(secret));
  };
}

function cannot({ argv }: Secret): string {
  return `cannot get a secret from ${JSON.stringify(argv[0] ?? "")}`;
}

/** Of what is printed nothing is in an error. */
function fieldOf(text: string, key: string, what: string): string {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    throw failure(what, "it printed no JSON, and `jsonKey` asks for a field of it");
  }
  const value: unknown = isRecord(fields) && Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (typeof value === "string" && value.includes("\0"))
    throw failure(what, "it printed a NUL byte, which no variable can hold");
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw failure(
    what,
    `what it printed has no text in the field ${JSON.stringify(key)}, which \`jsonKey\` asks for`,
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

async function runResolver(secret: Secret, options: SecretResolverOptions): Promise<string> {
  const what = cannot(secret);
  const chunks: Uint8Array[] = [];
  let size = 0;
  const outcome = await runProcess({
    argv: secret.argv,
    cwd: options.cwd,
    env: options.env,
    stdin: "ignore",
    stdout(chunk) {
      size += chunk.length;
      if (size <= longestSecret) chunks.push(chunk);
    },
    stderr: "inherit",
    timeoutMs: resolverTimeoutMs,
    signal: options.signal,
  });
  if (outcome.status === "notFound" || outcome.status === "notExecutable")
    throw failure(what, outcome.message, outcome.hint);
  if (outcome.status === "timedOut")
    throw failure(
      what,
      `it took longer than ${resolverTimeoutMs / 1000} s`,
      "unlock the secret store first",
    );
  if (outcome.status !== "succeeded")
    throw failure(what, `it ended with exit code ${outcome.exitCode}`);
  if (size > longestSecret) throw failure(what, `it printed more than ${longestSecret} bytes`);
  const value = decode(Buffer.concat(chunks), what).replace(/(\r?\n)+$/, "");
  if (value === "") throw failure(what, "it printed nothing");
  return value;
}

function decode(bytes: Uint8Array, what: string): string {
  if (bytes.includes(0)) throw failure(what, "it printed a NUL byte, which no variable can hold");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Not as the cause: it must not carry the bytes.
    throw failure(what, "it printed what is not UTF-8 text");
  }
}

function failure(
  what: string,
  reason: string,
  hint = "run the command by hand to see what it says",
): CuenvError {
  return new CuenvError("RUN_SECRET", `${what}: ${reason}`, { hint });
}
