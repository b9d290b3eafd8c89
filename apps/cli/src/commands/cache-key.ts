import { keyComponents } from "@cuenv/cache/explanation";
import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { oneLine } from "../preview/one-line.ts";
import { reasonOf } from "../preview/preview-document.ts";
import { previewNamedTask } from "../preview/preview-task.ts";
import { visibleText } from "../report/visible-text.ts";
import { printOut } from "../report/terminal.ts";

/** `cuenv cache key TASK`: the key that a run would have now, and everything that it is made of. */
export async function runCacheKey(invocation: Invocation): Promise<number> {
  const { name, node } = await previewNamedTask(invocation);
  const preview = node.kind === "cached" ? node.preview : undefined;
  const keyInputs = preview?.keyInputs();
  if (preview?.key === undefined || keyInputs === undefined) {
    throw new CuenvError("RUN_NO_KEY", `cannot say the key of ${name}: ${reasonOf(node)}`, {
      hint: `cuenv why ${name} says more.`,
    });
  }
  const components = keyComponents(keyInputs);
  if (invocation.flags["json"] === true) {
    const document = { version: 1, task: name, key: preview.key, outcome: preview.outcome };
    printOut(`${JSON.stringify({ ...document, components })}\n`);
    return 0;
  }
  const width = Math.max(...components.map(({ kind }) => kind.length));
  const lines = components.map(
    ({ kind, name: what, value }) =>
      `${kind.padEnd(width)}  ${visibleText(what)}  ${visibleText(oneLine(value))}`,
  );
  printOut(`${preview.key}\n${lines.join("\n")}\n`);
  return 0;
}
