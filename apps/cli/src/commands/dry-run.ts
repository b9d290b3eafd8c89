import type { Plan } from "@cuenv/runner";
import { previewDocument, reasonOf, statusOf } from "../preview/preview-document.ts";
import { type NodePreview, previewPlan } from "../preview/preview-plan.ts";
import type { OpenProject } from "../project/open-project.ts";
import { visibleText } from "../report/visible-text.ts";
import { painterOf, printOut } from "../report/terminal.ts";
import { writeRunFile } from "../report/write-run-file.ts";
import { formatDuration } from "../run/format-duration.ts";

/** `cuenv task NAME --dry-run`: what would run, what would be a hit, and why. */
export async function runDryRun(
  open: OpenProject,
  plan: Plan,
  options: {
    readonly force: boolean;
    readonly json: boolean;
    readonly summaryFile: string | undefined;
  },
): Promise<number> {
  const previews = await previewPlan(open, plan, options);
  const document = `${JSON.stringify(previewDocument(previews))}\n`;
  printOut(options.json ? document : previewText(previews));
  if (options.summaryFile !== undefined) writeRunFile("summary", options.summaryFile, document);
  return 0;
}

function previewText(previews: ReadonlyMap<string, NodePreview>): string {
  const paint = painterOf(1);
  const width = Math.max(...[...previews.keys()].map((name) => visibleText(name).length));
  const lines = [...previews].map(([name, node]) => {
    const reason = visibleText(reasonOf(node));
    const saved = node.kind === "cached" ? node.preview.result?.durationMs : undefined;
    const label = visibleText(name).padEnd(width);
    switch (statusOf(node)) {
      case "hit":
        return `${label}  ${paint("green", "hit")}      saves ${formatDuration(saved ?? 0)}`;
      case "miss":
        return `${label}  ${paint("yellow", "miss")}     ${reason}`;
      case "unknown":
        return `${label}  ${paint("dim", "unknown")}  ${reason}`;
      default:
        return `${label}  ${paint("dim", "runs")}     ${reason}`;
    }
  });
  return `${lines.join("\n")}\n`;
}
