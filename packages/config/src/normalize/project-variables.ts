import { CuenvError, nearName } from "@cuenv/errors";
import { type DataObject, isDataObject, kindOf, ownField } from "../evaluated-package.ts";
import { pointerTo } from "../json-pointer.ts";
import type { EnvironmentValue, EnvironmentValues } from "../task.ts";
import type { Context } from "./context.ts";
import { readVariables, type Variables } from "./environment-values.ts";

export interface ProjectVariables {
  /** All of them, overrides in place. */
  readonly variables: Variables;
  /** Those that every task may see and whose value can be got. */
  readonly env: EnvironmentValues;
  readonly environments: readonly string[];
}

/** Fields of `env` that are not variables. */
const otherFields = ["environment", "capabilities"];

/**
 * `env`, with the overrides of the chosen environment: `env.environment.<name>`, or a top-level `environment.<name>`.
 * @throws {CuenvError} CONFIG_UNKNOWN_ENVIRONMENT
 */
export function readProjectVariables(
  context: Context,
  environment: string | undefined,
): ProjectVariables {
  const values = { ...context, findOutputTask: undefined };
  const env = ownField(context.value, "env");
  if (env !== undefined && !isDataObject(env)) {
    const message = `cannot read the project: \`env\` must be a struct, not ${kindOf(env)}`;
    context.problems.add("CONFIG_TYPE", "/env", message);
  }
  const data = isDataObject(env) ? env : {};
  warnOfCapabilities(context, data);
  const base = readVariables(values, data, "/env", "`env`", otherFields);
  const overrides = readOverrides(context, data);
  const chosen = environment === undefined ? {} : choose(overrides, environment);
  const variables: Variables = Object.assign(Object.create(null), base, chosen);
  const shared: Record<string, EnvironmentValue> = Object.create(null);
  for (const [name, variable] of Object.entries(variables))
    if (!("unsupported" in variable) && variable.allowedTasks === undefined)
      shared[name] = variable.value;
  return { variables, env: shared, environments: [...overrides.keys()] };
}

function readOverrides(context: Context, env: DataObject): ReadonlyMap<string, Variables> {
  const overrides = new Map<string, Variables>();
  const places: [unknown, string][] = [
    [ownField(env, "environment"), "/env/environment"],
    [ownField(context.value, "environment"), "/environment"],
  ];
  for (const [place, pointer] of places) {
    if (place === undefined) continue;
    if (!isDataObject(place)) {
      const message = `cannot read the project: \`environment\` must be a struct, not ${kindOf(place)}`;
      context.problems.add("CONFIG_TYPE", pointer, message);
      continue;
    }
    for (const [name, value] of Object.entries(place)) {
      const at = pointerTo(pointer, name);
      const what = `environment ${name}`;
      if (value === null) continue;
      if (isDataObject(value)) {
        const values = { ...context, findOutputTask: undefined };
        const read = readVariables(values, value, at, what, otherFields);
        overrides.set(name, { ...overrides.get(name), ...read });
      } else {
        const message = `cannot read ${what}: it must be a struct of variables, not ${kindOf(value)}`;
        context.problems.add("CONFIG_TYPE", at, message);
      }
    }
  }
  return overrides;
}

function choose(overrides: ReadonlyMap<string, Variables>, environment: string): Variables {
  const chosen = overrides.get(environment);
  if (chosen !== undefined) return chosen;
  const names = [...overrides.keys()];
  const near = nearName(environment, names);
  const known =
    names.length === 0 ? "the project has none" : `the environments are ${names.join(", ")}`;
  throw new CuenvError(
    "CONFIG_UNKNOWN_ENVIRONMENT",
    `cannot use environment ${JSON.stringify(environment)}: it is not in the configuration`,
    { hint: near === undefined ? known : `did you mean ${JSON.stringify(near)}? ${known}` },
  );
}

function warnOfCapabilities(context: Context, env: DataObject): void {
  if (
    ownField(env, "capabilities") === undefined &&
    ownField(context.value, "capabilities") === undefined
  )
    return;
  const message = "`capabilities` has no effect: every task sees every variable of `env`";
  context.problems.warn("ignored capabilities", "/env/capabilities", message);
}
