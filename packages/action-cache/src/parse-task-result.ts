import { entriesProblem, type OutputEntry } from "@cuenv/cas";
import { type Digest, digestFunctions, parseDigest } from "@cuenv/digest";
import { payloadVersion } from "./encode-entry.ts";
import type { Builder, TaskResult } from "./task-result.ts";

export type ParsedTaskResult =
  | { readonly kind: "result"; readonly result: TaskResult }
  | { readonly kind: "malformed" | "version"; readonly detail: string };

class Malformed extends Error {
  override readonly name = "Malformed";
}

type Fields = Readonly<Record<string, unknown>>;

const knownFields = new Set<string>([
  "v",
  "key",
  "namespace",
  "outputs",
  "declaredOutputs",
  "exitCode",
  "stdout",
  "stderr",
  "keyInputs",
  "keyEpoch",
  "keySchema",
  "builder",
  "provenance",
  "startedAt",
  "durationMs",
]);

/** Plain data → result, strictly: a missing, unknown or odd field is refused, and so is every output that could not be restored safely. */
export function parseTaskResult(value: unknown): ParsedTaskResult {
  try {
    const fields = record(value, "the payload");
    if (fields["v"] !== payloadVersion)
      return { kind: "version", detail: `payload version ${String(fields["v"])}` };
    return { kind: "result", result: resultOf(fields) };
  } catch (error) {
    if (error instanceof Malformed) return { kind: "malformed", detail: error.message };
    throw error;
  }
}

function resultOf(fields: Fields): TaskResult {
  const unknown = Object.keys(fields).find((name) => !knownFields.has(name));
  if (unknown !== undefined) throw new Malformed(`unknown field ${unknown}`);
  const outputs = list(fields, "outputs").map(outputOf);
  const problem = entriesProblem(outputs);
  if (problem !== undefined)
    throw new Malformed(`output ${JSON.stringify(problem.path)}: ${problem.reason}`);
  const provenance = fields["provenance"];
  return {
    key: keyOf(fields),
    namespace: text(fields, "namespace"),
    outputs,
    declaredOutputs: list(fields, "declaredOutputs").map((each) => textOf(each, "declaredOutputs")),
    exitCode: count(fields, "exitCode"),
    stdout: digestOrNull(fields, "stdout"),
    stderr: digestOrNull(fields, "stderr"),
    keyInputs: digestOrNull(fields, "keyInputs"),
    keyEpoch: count(fields, "keyEpoch"),
    keySchema: count(fields, "keySchema"),
    builder: builderOf(fields),
    ...(provenance === undefined ? {} : { provenance: texts(record(provenance, "provenance")) }),
    startedAt: timeOf(fields),
    durationMs: durationOf(fields),
  };
}

function record(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new Malformed(`${what} is no object`);
  return value as Fields;
}

function list(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  if (!Array.isArray(value)) throw new Malformed(`${name} is no list`);
  return value;
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== "string") throw new Malformed(`${name} is no text`);
  return value;
}

function text(fields: Fields, name: string): string {
  return textOf(fields[name], name);
}

function texts(fields: Fields): Record<string, string> {
  // Without a prototype, so that a field `__proto__` is a field.
  const result = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(fields)) result[name] = textOf(value, name);
  return result;
}

function count(fields: Fields, name: string): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new Malformed(`${name} is no count`);
  return value as number;
}

function durationOf(fields: Fields): number {
  const value = fields["durationMs"];
  // 1e999 is JSON: a result that ends never would be another one once it was remembered.
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0)
    throw new Malformed("durationMs is no duration");
  return value;
}

function timeOf(fields: Fields): string {
  const value = text(fields, "startedAt");
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)
    ? Date.parse(value)
    : Number.NaN;
  if (Number.isNaN(time)) throw new Malformed("startedAt is no time");
  return value;
}

function digestOf(value: unknown, name: string): Digest {
  const digest = typeof value === "string" ? parseDigest(value) : undefined;
  if (digest === undefined || !Number.isSafeInteger(digest.sizeBytes))
    throw new Malformed(`${name} is no digest`);
  return digest;
}

function digestOrNull(fields: Fields, name: string): Digest | null {
  const value = fields[name];
  return value === null ? null : digestOf(value, name);
}

function keyOf(fields: Fields): TaskResult["key"] {
  const key = record(fields["key"], "key");
  const name = digestFunctions.find((known) => known === key["function"]);
  if (name === undefined) throw new Malformed("key has an unknown function");
  const digest = digestOf(`${text(key, "hash")}/${count(key, "sizeBytes")}`, "key");
  return { ...digest, function: name };
}

function builderOf(fields: Fields): Builder {
  const builder = record(fields["builder"], "builder");
  return {
    id: text(builder, "id"),
    version: text(builder, "version"),
    os: text(builder, "os"),
    arch: text(builder, "arch"),
  };
}

function outputOf(value: unknown): OutputEntry {
  const fields = record(value, "an output");
  const path = text(fields, "path");
  switch (fields["kind"]) {
    case "file": {
      const { executable } = fields;
      if (typeof executable !== "boolean")
        throw new Malformed("an output's executable is no boolean");
      return {
        kind: "file",
        path,
        digest: digestOf(fields["digest"], "an output's digest"),
        executable,
      };
    }
    case "symlink":
      return { kind: "symlink", path, target: text(fields, "target") };
    case "directory":
      return { kind: "directory", path };
    default:
      throw new Malformed("an output of an unknown kind");
  }
}
