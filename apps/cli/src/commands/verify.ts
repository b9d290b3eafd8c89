import { CuenvError, exitCodes } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { firstToRun } from "../preview/first-to-run.ts";
import { reasonOf } from "../preview/preview-document.ts";
import { type PreviewedTask, previewNamedTask } from "../preview/preview-task.ts";
import { printOut } from "../report/terminal.ts";
import { visibleText } from "../report/visible-text.ts";
import { type OutputDifference, type VerifiedTask, verifyTask } from "../verify/verify-task.ts";

/** `cuenv verify TASK`: runs the task again and says what it does not make as it is stored. Exit code 5 when there is something. */
export async function runVerify(invocation: Invocation): Promise<number> {
  const previewed = await previewNamedTask(invocation);
  refuseWithoutResult(previewed);
  const { name, open } = previewed;
  const args = invocation.rest ?? [];
  const verified = await verifyTask(open, {
    name,
    args,
    keep: invocation.flags["keep"] === true,
  });
  if (verified.interrupted) return verified.exitCode;
  printOut(
    invocation.flags["json"] === true
      ? `${JSON.stringify(document(name, verified))}\n`
      : text(name, verified),
  );
  return verified.verdict === "same" ? 0 : exitCodes.notReproducible;
}

/** Before anything runs. What an uncached dependency makes is only known when it ran. */
function refuseWithoutResult({ open, name, node, previews }: PreviewedTask): void {
  const { enabled, defaultMode } = open.cache.settings;
  if (!enabled || defaultMode === "off")
    throw new CuenvError("RUN_NOTHING_STORED", `cannot verify ${name}: the cache is off`);
  const blocking = node.kind === "unknown" ? firstToRun(node, previews) : { name, node };
  const isHit = blocking.node.kind === "cached" && blocking.node.preview.outcome === "hit";
  if (isHit || (node.kind === "unknown" && blocking.node.kind === "uncached")) return;
  const reason =
    blocking.node.kind === "uncached"
      ? `it is not cached: ${blocking.node.reason}`
      : `${blocking.name === name ? "it" : blocking.name} has no stored result (${reasonOf(blocking.node)})`;
  throw new CuenvError("RUN_NOTHING_STORED", `cannot verify ${name}: ${reason}`, {
    hint:
      blocking.node.kind === "uncached"
        ? "A task that declares inputs or outputs, and does not say otherwise, is."
        : `cuenv task ${name} makes one.`,
  });
}

function document(
  task: string,
  { key, verdict, exitCode, outputs, differences }: VerifiedTask,
): object {
  return { version: 1, task, key, verdict, exitCode, outputs, differences };
}

const maxShown = 20;

function text(
  name: string,
  { key, verdict, outputs, differences, exitCode }: VerifiedTask,
): string {
  const short = key.slice(0, 12);
  const counted = `${outputs} ${outputs === 1 ? "output" : "outputs"}`;
  switch (verdict) {
    case "same":
      return outputs === 0
        ? `${name} succeeds again; it declares no outputs that could differ (${short})\n`
        : `${name} is reproducible: ${counted} made again, byte for byte (${short})\n`;
    case "failed":
      return `${name} failed when it ran again (exit code ${exitCode}); stored is that it succeeded (${short})\n`;
    case "unknown":
      return `${name} cannot be compared: its inputs changed while it was verified (${short})\n`;
    case "different": {
      const rest = differences.length - maxShown;
      return [
        `${name} is not reproducible: ${differences.length} ${differences.length === 1 ? "output differs" : "outputs differ"} (${short})`,
        ...differences.slice(0, maxShown).flatMap(differenceLines),
        ...(rest > 0 ? [`… and ${rest} more; --json has all`] : []),
        "",
      ].join("\n");
    }
  }
}

function differenceLines({ path, difference, ...found }: OutputDifference): readonly string[] {
  const shown = (mark: string, line: string | null): readonly string[] =>
    line === null ? [] : [`    ${mark} ${visibleText(line)}`];
  const where =
    found.line === null ? `at byte ${found.offset}` : `at line ${found.line}, byte ${found.offset}`;
  const what = {
    content: `differs ${where}`,
    missing: "was not made again",
    added: "is not stored",
    kind: "is something else: a file, a link or a folder",
    target: "leads elsewhere",
    mode: "differs in its exec bit",
  }[difference];
  return [
    `  ${visibleText(path)} ${what}`,
    ...shown("stored", found.before),
    ...shown("again ", found.after),
  ];
}
