import { formatDigest } from "@cuenv/digest";
import type { CauseKind } from "./explain-miss.ts";
import type { InputNode, KeyInputs } from "./key-inputs.ts";

/** One thing that a key was made of. `value` is what it is, or the digest of it. */
export interface KeyComponent {
  readonly kind: CauseKind;
  readonly name: string;
  readonly value: string;
}

/** Everything that a key was made of, in the order in which causes are told. */
export function keyComponents(inputs: KeyInputs): readonly KeyComponent[] {
  const one = (kind: CauseKind, name: string, value: string | undefined): KeyComponent[] =>
    value === undefined ? [] : [{ kind, name, value }];
  return [
    ...one("schema", "key format", `${inputs.keySchema}`),
    ...one("digestFunction", "digest function", inputs.digestFunction),
    ...one("epoch", "key epoch", `${inputs.keyEpoch}`),
    ...one("namespace", "namespace", inputs.namespace),
    ...one("cacheKey", "cacheKey", inputs.cacheKey),
    ...inputs.inputs.flatMap((node) => {
      const producer = inputs.producers[node.path];
      return one(producer === undefined ? "file" : "dependencyOutput", node.path, valueOf(node));
    }),
    ...inputs.dependencies.flatMap(({ task, key }) => one("dependency", task, key)),
    ...inputs.variables.flatMap((variable) =>
      one(
        "variable",
        variable.name,
        "hmac" in variable ? `secret ${variable.hmac}` : variable.value,
      ),
    ),
    ...one("command", "command", JSON.stringify(inputs.command)),
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
