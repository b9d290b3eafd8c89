import { formatDigest, hashText } from "@cuenv/digest";
import type { CauseKind } from "./cause.ts";
import type { InputNode, KeyInputs } from "./key-inputs.ts";

/** One thing that a key was made of. */
export interface KeyComponent {
  readonly kind: CauseKind;
  readonly name: string;
  /** What it is; of a file its digest and size, of a secret an HMAC of it. */
  readonly value: string;
  /** The hash of a file's content, a secret's HMAC, the hash of any other value; by the key's digest function. */
  readonly digest: string;
}

/** Everything that a key was made of, in the order in which causes are told. */
export function keyComponents(inputs: KeyInputs): readonly KeyComponent[] {
  const one = (kind: CauseKind, name: string, value: string | undefined): KeyComponent[] =>
    value === undefined
      ? []
      : [{ kind, name, value, digest: hashText(inputs.digestFunction, value).hash }];
  const [program, ...args] = inputs.command;
  return [
    ...one("schema", "key format", `${inputs.keySchema}`),
    ...one("digestFunction", "digest function", inputs.digestFunction),
    ...one("epoch", "key epoch", `${inputs.keyEpoch}`),
    ...one("namespace", "namespace", inputs.namespace),
    ...one("cacheKey", "cacheKey", inputs.cacheKey),
    ...inputs.inputs.flatMap((node): KeyComponent[] => {
      const producer = inputs.producers[node.path];
      const kind = producer === undefined ? "file" : "dependencyOutput";
      if (node.kind !== "file") return one(kind, node.path, valueOf(node));
      return [{ kind, name: node.path, value: valueOf(node), digest: node.digest.hash }];
    }),
    ...inputs.dependencies.flatMap(({ task, key }) => one("dependency", task, key)),
    ...inputs.variables.flatMap((variable): KeyComponent[] => {
      if (!("hmac" in variable)) return one("variable", variable.name, variable.value);
      const { name, hmac } = variable;
      return [{ kind: "variable", name, value: `secret ${hmac}`, digest: hmac }];
    }),
    ...one("environmentMode", "envMode", inputs.environmentMode),
    ...one("command", "command", program),
    ...args.flatMap((argument, at) => one("argument", `argument ${at + 1}`, argument)),
    ...one("workingDirectory", "working directory", inputs.workingDirectory || "."),
    ...inputs.outputs.flatMap((output) => one("outputs", output, "declared")),
    ...inputs.tools.flatMap(({ command, output }) => one("tool", command, output)),
    ...one("platform", "platform", `${inputs.platform.os} ${inputs.platform.arch}`),
    ...inputs.customComponents.flatMap(({ name, value }) => one("customComponent", name, value)),
    ...one(
      "timeout",
      "timeout",
      inputs.timeoutMs === undefined ? undefined : `${inputs.timeoutMs} ms`,
    ),
  ];
}

function valueOf(node: InputNode): string {
  switch (node.kind) {
    case "file":
      return `${formatDigest(node.digest)}${node.executable ? " executable" : ""}`;
    case "symlink":
      return `link to ${node.target}`;
    case "directory":
      return "folder";
  }
}
