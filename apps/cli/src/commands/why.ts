import type { Cause, TaskPreview } from "@cuenv/cache/explanation";
import type { Invocation } from "../command-line/command.ts";
import { causeLines } from "../preview/cause-lines.ts";
import { firstToRun } from "../preview/first-to-run.ts";
import { causeDocument, reasonOf, statusOf } from "../preview/preview-document.ts";
import type { NodePreview } from "../preview/preview-plan.ts";
import { type PreviewedTask, previewNamedTask } from "../preview/preview-task.ts";
import { printOut } from "../report/terminal.ts";
import { formatBytes, formatDuration } from "../run/format-duration.ts";

/** `cuenv why TASK`: why a run now would be a miss; of a hit, where it comes from and what made it. The most telling cause first. */
export async function runWhy(invocation: Invocation): Promise<number> {
  const previewed = await previewNamedTask(invocation);
  printOut(
    invocation.flags["json"] === true
      ? `${JSON.stringify(whyDocument(previewed))}\n`
      : whyText(previewed),
  );
  return 0;
}

function whyDocument({ name, node, previews }: PreviewedTask): object {
  const preview = node.kind === "cached" ? node.preview : undefined;
  const result = preview?.result;
  const first = node.kind === "unknown" ? firstToRun(node, previews) : undefined;
  return {
    version: 1,
    task: name,
    outcome: statusOf(node),
    key: preview?.key ?? null,
    text: reasonOf(node),
    causes: (preview?.causes ?? []).map(causeDocument),
    /** Of a task whose key is not known yet: the dependency that would run, and why. */
    dependency:
      first === undefined
        ? null
        : {
            task: first.name,
            text: reasonOf(first.node),
            causes: causesOf(first.node).map(causeDocument),
          },
    result:
      result === undefined
        ? null
        : {
            startedAt: result.startedAt,
            durationMs: result.durationMs,
            builder: result.builder,
            provenance: result.provenance ?? {},
            outputs: result.outputs.length,
          },
  };
}

function causesOf(node: NodePreview): readonly Cause[] {
  return node.kind === "cached" ? node.preview.causes : [];
}

function whyText({ name, node, previews }: PreviewedTask): string {
  if (node.kind === "uncached") return `${name} is not cached: it runs each time\n`;
  if (node.kind === "unknown") {
    const first = firstToRun(node, previews);
    return lines(
      `${first.name} would run first: ${reasonOf(first.node)}`,
      `${name} depends on what it makes; if that is as it was, ${name} is a hit`,
      ...causesOf(first.node).map(causeLines),
    );
  }
  const { preview } = node;
  return preview.outcome === "hit" ? hitText(name, preview) : missText(name, preview);
}

function missText(name: string, preview: TaskPreview): string {
  return lines(
    preview.text,
    preview.key === undefined
      ? `${name} would run, and not be stored: it has no key`
      : `${name} would run: nothing is stored under its key ${preview.key.slice(0, 12)}`,
    ...preview.causes.map(causeLines),
  );
}

function hitText(name: string, { result, key, causes }: TaskPreview): string {
  if (result === undefined) return "";
  const { builder, provenance = {}, startedAt, durationMs, outputs } = result;
  const by = [provenance["user"], provenance["host"]].filter((part) => part !== undefined);
  const bytes = outputs.reduce(
    (sum, entry) => sum + (entry.kind === "file" ? entry.digest.sizeBytes : 0),
    0,
  );
  const commit = provenance["commit"];
  return lines(
    `hit: ${name} has a stored result, made ${startedAt}${by.length > 0 ? ` by ${by.join("@")}` : ""}`,
    `  key       ${key}`,
    `  builder   ${builder.id}, cuenv ${builder.version}, ${builder.os} ${builder.arch}`,
    ...(commit === undefined ? [] : [`  commit    ${commit}`]),
    `  took      ${formatDuration(durationMs)}`,
    `  outputs   ${outputs.length}, ${formatBytes(bytes)}`,
    ...(causes.length === 0 ? [] : ["what changed since the result before it:"]),
    ...causes.map(causeLines),
  );
}

function lines(...all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
