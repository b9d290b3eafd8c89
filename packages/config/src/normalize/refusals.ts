import { isDataObject, ownField } from "../evaluated-package.ts";
import type { Struct } from "../struct.ts";
import type { TaskAction, TaskParameter } from "../task.ts";
import type { Context } from "./context.ts";

type Refused = Extract<TaskAction, { kind: "refused" }>;

const containerRuntimes = new Set(["container", "dagger"]);

const ignoredFields: Readonly<Record<string, string>> = {
  capabilities: "has no effect: variables are not kept from tasks by capability",
  captures: "has no effect in this version",
  labels: "has no effect in this version",
};

/**
 * Why a task must not run, although it is well-formed: it asks for something that is not there and whose absence
 * would be unsafe (a sandbox) or would run it somewhere else than it means to (a container). Fields that can be left
 * out safely are noted in `context.ignored`.
 */
export function findRefusal(context: Context, struct: Struct, name: string): Refused | undefined {
  for (const [field, detail] of Object.entries(ignoredFields))
    if (struct.has(field)) context.ignored.add(field, name, struct.at(field), detail);
  // `hermetic: false` asks for what is done anyway.
  if (struct.has("hermetic") && struct.raw("hermetic") !== false) {
    const detail =
      "has no effect in this version: a task runs in its folder, with declared variables only";
    context.ignored.add("hermetic", name, struct.at("hermetic"), detail);
  }
  return refuseSecurity(context, struct, name) ?? refuseContainer(context, struct, name);
}

function refuseSecurity(context: Context, struct: Struct, name: string): Refused | undefined {
  const security = struct.struct("security");
  if (security === undefined) return undefined;
  const wanted = ["restrictDisk", "restrictNetwork", "inferFromInputsOutputs"].filter(
    (field) => security.boolean(field) === true,
  );
  if ((security.list("denyPaths") ?? []).length > 0) wanted.push("denyPaths");
  if (wanted.length === 0) {
    const detail = "has no effect: nothing in it restricts the task";
    context.ignored.add("security", name, struct.pointer, detail);
    return undefined;
  }
  return refused(
    `cannot run task ${name}: \`security.${wanted.join("`, `security.")}\` cannot be enforced in this version`,
    "take the field out to run the task without the restriction",
  );
}

function refuseContainer(context: Context, struct: Struct, name: string): Refused | undefined {
  const own = struct.raw("runtime");
  const type = runtimeType(own ?? ownField(context.value, "runtime"));
  if (struct.has("dagger") || (type !== undefined && containerRuntimes.has(type))) {
    const field = struct.has("dagger") ? "dagger" : `runtime: ${type}`;
    const hint = "take the field out to run the task on this machine";
    return refused(`cannot run task ${name}: it asks for a container (\`${field}\`)`, hint);
  }
  if (own !== undefined) {
    const detail = "has no effect in this version: tools come from PATH";
    context.ignored.add("runtime", name, struct.at("runtime"), detail);
  }
  return undefined;
}

function runtimeType(runtime: unknown): string | undefined {
  const type = isDataObject(runtime) ? ownField(runtime, "type") : undefined;
  return typeof type === "string" ? type : undefined;
}

export function refuseForeign(name: string, foreign: string): Refused {
  const [, kind, own] = /^(service|image)s\.(.+)$/.exec(foreign) ?? [];
  if (kind !== undefined && own !== undefined)
    return refused(
      `cannot run task ${name}: it needs the ${kind} ${JSON.stringify(own.slice(0, 100))}, and ${kind}s are not ${kind === "image" ? "built" : "started"} in this version`,
      "take the dependency out, and see to it by hand before the task runs",
    );
  return refused(
    `cannot run task ${name}: it needs ${JSON.stringify(foreign.slice(0, 100))}, which is another project's`,
    "tasks of other projects cannot be referred to in this version; run that task first and declare its files as inputs",
  );
}

export function refuseVariable(name: string, variable: string, unsupported: string): Refused {
  return refused(
    `cannot run task ${name}: its variable ${variable} needs ${unsupported}, which cuenv does not have`,
    "use `resolver: {command: …, args: […]}` with a command that prints the value",
  );
}

const unfilledFields = [
  "inputs",
  "outputs",
  "workingDir",
  "dir",
  "env",
  "cacheKey",
  "cache_key",
  "cacheConfig",
  "cache_config",
];

/**
 * A parameter where none is put in: files by such a name are not there, so that they would neither move the key nor be restored.
 * Braces around other words are the task's own, as in a script.
 */
export function refuseParameters(
  struct: Struct,
  name: string,
  parameters: readonly TaskParameter[],
): Refused | undefined {
  if (parameters.length === 0) return undefined;
  const names = new Set(parameters.map((parameter) => parameter.name));
  for (const field of unfilledFields) {
    const text = JSON.stringify(struct.raw(field)) ?? "";
    for (const [place, parameter = ""] of text.matchAll(/\{\{\s*([A-Za-z0-9_-]+)\s*\}\}/g)) {
      if (!names.has(parameter)) continue;
      return refused(
        `cannot run task ${name}: ${place} stands in its \`${field}\`, where no parameter is put in`,
        "parameters are put into `command`, `args` and `script`; inputs and outputs can be globs that fit all their values",
      );
    }
  }
  return undefined;
}

function refused(message: string, hint: string): Refused {
  return { kind: "refused", message, hint };
}
