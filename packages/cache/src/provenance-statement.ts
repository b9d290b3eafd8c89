import { endOf, type TaskResult } from "@cuenv/action-cache";
import type { DigestFunction } from "@cuenv/digest";
import type { InputNode, KeyInputs } from "@cuenv/key";

/** The type of a Statement in a DSSE envelope. */
export const statementType = "application/vnd.in-toto+json";

/** Hash function → hash, as in-toto has it. */
type DigestSet = Readonly<Record<string, string>>;

interface Resource {
  readonly name: string;
  readonly digest: DigestSet;
}

/** An in-toto Statement, version 1, whose predicate is SLSA provenance, version 1. */
export interface Statement {
  readonly _type: "https://in-toto.io/Statement/v1";
  readonly subject: readonly Resource[];
  readonly predicateType: "https://slsa.dev/provenance/v1";
  readonly predicate: {
    readonly buildDefinition: {
      readonly buildType: string;
      readonly externalParameters: Readonly<Record<string, unknown>>;
      readonly internalParameters: Readonly<Record<string, unknown>>;
      readonly resolvedDependencies: readonly Resource[];
    };
    readonly runDetails: {
      readonly builder: { readonly id: string; readonly version: Readonly<Record<string, string>> };
      readonly metadata: {
        readonly invocationId: string;
        readonly startedOn: string;
        readonly finishedOn: string;
      };
      readonly byproducts: readonly Resource[];
    };
  };
}

/** From what was recorded, and nothing else; `inputs` are undefined where they were not. Secrets are in it as in the key: as HMAC. */
export function provenanceStatement(result: TaskResult, inputs: KeyInputs | undefined): Statement {
  const { key, builder, startedAt } = result;
  const digestOf = (hash: string): DigestSet => ({ [key.function satisfies DigestFunction]: hash });
  const streams = [
    { name: "stdout", digest: result.stdout },
    { name: "stderr", digest: result.stderr },
  ].flatMap(({ name, digest }) =>
    digest === null ? [] : [{ name, digest: digestOf(digest.hash) }],
  );
  const outputs = result.outputs.flatMap((entry) =>
    entry.kind === "file" ? [{ name: entry.path, digest: digestOf(entry.digest.hash) }] : [],
  );
  return {
    _type: "https://in-toto.io/Statement/v1",
    // There must be one: of a task without outputs it is what it printed.
    subject: outputs.length > 0 ? outputs : streams,
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: "urn:cuenv:task:1",
        externalParameters: externalParameters(result, inputs),
        internalParameters: {
          key: digestOf(key.hash),
          keyEpoch: result.keyEpoch,
          keySchema: result.keySchema,
          platform: inputs?.platform ?? { os: builder.os, arch: builder.arch },
          tools: inputs?.tools ?? [],
        },
        resolvedDependencies: (inputs?.inputs ?? []).flatMap((node) => resourceOf(node, digestOf)),
      },
      runDetails: {
        builder: { id: `urn:cuenv:builder:${builder.id}`, version: { cuenv: builder.version } },
        metadata: {
          invocationId: key.hash,
          startedOn: startedAt,
          finishedOn: new Date(endOf(result)).toISOString(),
        },
        byproducts: outputs.length > 0 ? streams : [],
      },
    },
  };
}

function externalParameters(
  result: TaskResult,
  inputs: KeyInputs | undefined,
): Readonly<Record<string, unknown>> {
  const common = { namespace: result.namespace, outputs: result.declaredOutputs };
  if (inputs === undefined) return common;
  const { task, command, workingDirectory, variables, dependencies } = inputs;
  return { task, command, workingDirectory, variables, dependencies, ...common };
}

function resourceOf(node: InputNode, digestOf: (hash: string) => DigestSet): readonly Resource[] {
  return node.kind === "file" ? [{ name: node.path, digest: digestOf(node.digest.hash) }] : [];
}
