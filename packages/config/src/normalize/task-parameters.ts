import { isDataObject, kindOf } from "../evaluated-package.ts";
import { pointerTo } from "../json-pointer.ts";
import { openStruct, type Struct } from "../struct.ts";
import type { TaskParameter } from "../task.ts";
import { readChoice } from "../read-setting-value.ts";

const parameterFields: ReadonlySet<string> = new Set([
  "description",
  "required",
  "default",
  "type",
  "short",
]);

/** cuenv 0.54's `params`: `positional: [{…}]`, and named ones as fields beside it. A positional one is named by its index. */
export function readParameters(struct: Struct): readonly TaskParameter[] {
  const params = struct.struct("params");
  if (params === undefined) return [];
  const parameters: TaskParameter[] = [];
  for (const [index, item] of (params.list("positional") ?? []).entries()) {
    const pointer = pointerTo(params.at("positional"), index);
    const what = `${struct.what}, positional parameter ${index}`;
    if (isDataObject(item)) {
      const inner = openStruct(struct.problems, item, pointer, what);
      parameters.push({ name: String(index), position: index, ...readParameter(inner) });
    } else {
      const message = `cannot read ${what}: it must be a struct, not ${kindOf(item)}`;
      struct.problems.add("CONFIG_TYPE", pointer, message);
    }
  }
  for (const name of Object.keys(params.data)) {
    if (name === "positional" || !params.has(name)) continue;
    if (!/^[A-Za-z][\w-]*$/.test(name)) {
      const message = `cannot read ${struct.what}: ${JSON.stringify(name.slice(0, 60))} is not a name for a parameter`;
      const hint = "letters, digits, `-` and `_`, a letter first";
      struct.problems.add("CONFIG_NAME", params.at(name), message, hint);
      continue;
    }
    const inner = params.struct(name, `${struct.what}, parameter ${name}`);
    if (inner !== undefined) parameters.push({ name, ...readParameter(inner) });
  }
  return parameters;
}

function readParameter(struct: Struct): Omit<TaskParameter, "name" | "position"> {
  struct.refuseUnknown(parameterFields);
  const description = struct.string("description");
  const fallback = struct.string("default");
  const short = struct.string("short");
  if (short !== undefined && !/^[A-Za-z]$/.test(short))
    struct.wrongValue("short", "must be one letter");
  return {
    required: struct.boolean("required") ?? false,
    type: readChoice(struct, "type", ["string", "bool", "int"]) ?? "string",
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(short === undefined ? {} : { short }),
  };
}
