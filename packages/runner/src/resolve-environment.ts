import type { EnvironmentValue, EnvironmentValues } from "@cuenv/config";
import { CuenvError, type Location } from "@cuenv/errors";
import { type OutputsOf, referencedOutput } from "./output-reference.ts";
import type { SecretResolver } from "./resolve-secret.ts";

export interface ResolveEnvironmentOptions {
  readonly outputsOf: OutputsOf;
  readonly resolveSecret: SecretResolver;
  /** Where passed-through variables come from: cuenv's own environment. */
  readonly host: Readonly<Record<string, string | undefined>>;
  /** Whose variables they are, for errors; undefined: no task's. */
  readonly task?: { readonly name: string; readonly location?: Location | undefined };
}

export interface ResolvedEnvironment {
  readonly values: Readonly<Record<string, string>>;
  /** The variables whose value is, or contains, a secret. */
  readonly secretNames: ReadonlySet<string>;
  /** The values of all secrets in them, each once: what output is masked with. */
  readonly secretValues: readonly string[];
}

/**
 * The values of declared variables for one task; a passed-through variable that cuenv does not have is left out.
 * @throws {CuenvError} RUN_SECRET, RUN_OUTPUT_REFERENCE, RUN_ENVIRONMENT
 */
export async function resolveEnvironment(
  declared: EnvironmentValues,
  options: ResolveEnvironmentOptions,
): Promise<ResolvedEnvironment> {
  const names = Object.keys(declared);
  const resolved = await Promise.all(
    names.map((name) =>
      resolveValue(declared[name] ?? "", options).catch((error: unknown) =>
        rethrow(name, options.task, error),
      ),
    ),
  );
  const values: Record<string, string> = {};
  const secretNames = new Set<string>();
  const secretValues = new Set<string>();
  for (const [index, name] of names.entries()) {
    const { text, secrets } = resolved[index] ?? { text: undefined, secrets: [] };
    if (text === undefined) continue;
    if (text.includes("\0"))
      throw new CuenvError("RUN_ENVIRONMENT", `cannot set ${name}: its value contains a NUL byte`, {
        hint: "no process can be given one; encode the value",
      });
    values[name] = text;
    if (secrets.length > 0) secretNames.add(name);
    for (const secret of secrets) secretValues.add(secret);
  }
  return { values, secretNames, secretValues: [...secretValues] };
}

/** Several variables may have the same resolver: only here is it known which one was wanted. */
function rethrow(name: string, task: ResolveEnvironmentOptions["task"], error: unknown): never {
  if (!(error instanceof CuenvError)) throw error;
  const { code, message, hint } = error;
  const whose = task === undefined ? "" : ` for ${task.name}`;
  throw new CuenvError(code, `cannot set ${name}${whose}: ${message}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(task?.location === undefined ? {} : { location: task.location }),
  });
}

interface ResolvedValue {
  readonly text: string | undefined;
  readonly secrets: readonly string[];
}

async function resolveValue(
  value: EnvironmentValue,
  options: ResolveEnvironmentOptions,
): Promise<ResolvedValue> {
  if (typeof value === "string") return { text: value, secrets: [] };
  switch (value.kind) {
    case "taskOutput":
      return { text: referencedOutput(value, options.outputsOf), secrets: [] };
    case "host":
      return { text: options.host[value.name], secrets: [] };
    case "secret": {
      const text = await options.resolveSecret(value);
      return { text, secrets: [text] };
    }
    case "joined": {
      const parts = await Promise.all(value.parts.map((part) => resolveValue(part, options)));
      return {
        text: parts.map((part) => part.text ?? "").join(""),
        secrets: parts.flatMap((part) => part.secrets),
      };
    }
  }
}
