import { explainMiss } from "@cuenv/cache/explanation";
import { readStoredResult, storedTrust } from "@cuenv/cache/maintenance";
import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { causeLines } from "../preview/cause-lines.ts";
import { causeDocument } from "../preview/preview-document.ts";
import { openSettings } from "../project/open-project.ts";
import { visibleText } from "../report/visible-text.ts";
import { printOut } from "../report/terminal.ts";

/** `cuenv cache diff KEY KEY`: what the keys of two stored results differ in. */
export async function runCacheDiff(invocation: Invocation): Promise<number> {
  const [first, second, more] = invocation.names;
  if (first === undefined || second === undefined || more !== undefined)
    throw new CuenvError("USAGE", "cannot compare: two keys are needed, no more and no fewer");
  const { settings, trust: policy, workspaceRoot } = await openSettings(invocation);
  const trust = storedTrust(settings, policy, workspaceRoot);
  const [before, after] = [
    await readStoredResult({ settings, trust, key: first }),
    await readStoredResult({ settings, trust, key: second }),
  ];
  if (before.keyInputs === undefined || after.keyInputs === undefined)
    throw new CuenvError("USAGE", "cannot compare: nothing is recorded of what a key was made of");
  const causes = explainMiss(before.keyInputs, after.keyInputs);
  if (invocation.flags["json"] === true) {
    const keys = { before: before.key, after: after.key };
    printOut(`${JSON.stringify({ version: 1, ...keys, causes: causes.map(causeDocument) })}\n`);
  } else {
    const lines = causes.length === 0 ? ["nothing differs"] : causes.flatMap(causeLines);
    printOut(`${lines.map(visibleText).join("\n")}\n`);
  }
  return 0;
}
