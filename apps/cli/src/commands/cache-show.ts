import { keyComponents } from "@cuenv/cache/explanation";
import { readStoredResult, storedTrust } from "@cuenv/cache/maintenance";
import type { Invocation } from "../command-line/command.ts";
import { oneName } from "../command-line/given.ts";
import { oneLine } from "../preview/one-line.ts";
import { openSettings } from "../project/open-project.ts";
import { visibleText } from "../report/visible-text.ts";
import { printOut } from "../report/terminal.ts";
import { formatDuration } from "../run/format-duration.ts";

/** `cuenv cache show KEY`: a stored result: what its key was made of, its outputs, and where it comes from. */
export async function runCacheShow(invocation: Invocation): Promise<number> {
  const asked = oneName(invocation, "key");
  const { settings, trust: policy, workspaceRoot } = await openSettings(invocation);
  const trust = storedTrust(settings, policy, workspaceRoot);
  const { key, result, keyInputs } = await readStoredResult({ settings, trust, key: asked });
  const components = keyInputs === undefined ? [] : keyComponents(keyInputs);
  const { outputs, builder, provenance = {}, startedAt, durationMs } = result;
  if (invocation.flags["json"] === true) {
    const made = { startedAt, durationMs, builder, provenance };
    const document = { version: 1, key, task: keyInputs?.task ?? null, ...made, outputs };
    printOut(`${JSON.stringify({ ...document, components })}\n`);
    return 0;
  }
  const rows = [
    ["key", key],
    ["task", keyInputs?.task ?? "unknown"],
    ["made", `${startedAt}, in ${formatDuration(durationMs)}`],
    ["builder", `${builder.id}, cuenv ${builder.version}, ${builder.os} ${builder.arch}`],
    ...Object.entries(provenance),
    ...outputs.map((entry) => [
      "output",
      entry.kind === "file"
        ? `${entry.path}  ${entry.digest.hash}`
        : `${entry.path} (${entry.kind})`,
    ]),
    ...components.map(({ kind, name, value }) => [kind, `${name}  ${oneLine(value)}`]),
  ];
  const width = Math.max(...rows.map(([label = ""]) => label.length));
  printOut(
    rows
      .map(([label = "", text = ""]) => `${label.padEnd(width)}  ${visibleText(text)}\n`)
      .join(""),
  );
  return 0;
}
