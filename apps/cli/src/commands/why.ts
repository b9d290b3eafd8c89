import type { Cause, TaskPreview } from "@cuenv/cache/explanation";
import type { Invocation } from "../command-line/command.ts";
import { causeLines } from "../preview/cause-lines.ts";
import { firstToRun } from "../preview/first-to-run.ts";
import { causeDocument, reasonOf, statusOf } from "../preview/preview-document.ts";
import type { NodePreview } from "../preview/preview-plan.ts";
import { type PreviewedTask, previewNamedTask } from "../preview/preview-task.ts";
import { printOut } from "../report/terminal.ts";
import { visibleText } from "../report/visible-text.ts";
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

function whyDocument(previewed: PreviewedTask): object {
  const { name, node, previews } = previewed;
  const preview = node.kind === "cached" ? node.preview : undefined;
  const result = preview?.result;
  const first = node.kind === "unknown" ? firstToRun(node, previews) : undefined;
  return {
    version: 1,
    task: name,
    outcome: statusOf(node),
    key: preview?.key ?? null,
    text: firstLine(previewed),
    causes: telling(node, first?.node).map(causeDocument),
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
  if (node.kind === "uncached") return [];
  return node.kind === "cached" ? node.preview.causes : node.causes;
}

/** A task's own causes or, when only a dependency would run, those of it. */
function telling(node: NodePreview, first: NodePreview | undefined): readonly Cause[] {
  const own = causesOf(node);
  return own.length > 0 || first === undefined ? own : causesOf(first);
}

/** What the text answer begins with. */
function firstLine({ name, node, previews }: PreviewedTask): string {
  if (node.kind === "uncached") return `${name} is not cached, and runs each time: ${node.reason}`;
  if (node.kind === "unknown" && node.causes.length === 0) {
    const first = firstToRun(node, previews);
    return `${first.name} would run first: ${reasonOf(first.node)}`;
  }
  return reasonOf(node);
}

function whyText(previewed: PreviewedTask): string {
  const { name, node, previews } = previewed;
  const begin = firstLine(previewed);
  if (node.kind === "uncached") return lines(begin);
  if (node.kind === "unknown") {
    const first = firstToRun(node, previews);
    const dependency = toldCauses(causesOf(first.node));
    if (node.causes.length === 0)
      return lines(
        begin,
        `${name} depends on what it makes${node.hasEarlier ? `; if that is as it was, ${name} is a hit` : ""}`,
        ...dependency,
      );
    return lines(
      begin,
      `${name} would run, after ${first.name}`,
      ...toldCauses(node.causes),
      `${first.name} would run first: ${reasonOf(first.node)}`,
      ...dependency,
    );
  }
  const { preview } = node;
  return preview.outcome === "hit" ? hitText(name, preview) : missText(name, preview, previews);
}

function missText(name: string, preview: TaskPreview, previews: PreviewedTask["previews"]): string {
  // A dependency that makes nothing counts with its key: what changed that is the answer.
  const changed = preview.causes.flatMap(({ kind, components }) =>
    kind === "dependency" ? components.map((component) => component.name) : [],
  );
  const further = changed.flatMap((dependency) => {
    const node = previews.get(dependency);
    return node === undefined || statusOf(node) !== "miss"
      ? []
      : [`${dependency} would run: ${reasonOf(node)}`, ...toldCauses(causesOf(node))];
  });
  return lines(
    preview.text,
    preview.key === undefined
      ? `${name} would run, and not be stored: it has no key`
      : `${name} would run: ${preview.causes.length > 0 ? "nothing is stored under its key" : "its key is"} ${preview.key.slice(0, 12)}`,
    ...toldCauses(preview.causes),
    ...further,
  );
}

/** A line for each component; that there is no result yet was said. */
function toldCauses(causes: readonly Cause[]): readonly string[] {
  return causes.filter(({ kind }) => kind !== "first").flatMap(causeLines);
}

function hitText(name: string, { result, key, causes }: TaskPreview): string {
  if (result === undefined) return "";
  const { builder, provenance = {}, startedAt, durationMs, outputs } = result;
  const by = [provenance["user"], provenance["host"]].filter((part) => part !== undefined);
  // As cuenv verify counts them: a folder is nobody's output by itself.
  const made = outputs.filter(({ kind }) => kind !== "directory");
  const bytes = made.reduce(
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
    `  outputs   ${made.length}, ${formatBytes(bytes)}`,
    ...(causes.length === 0 ? [] : ["what differs from the last other result here:"]),
    ...causes.flatMap(causeLines),
  );
}

function lines(...all: readonly string[]): string {
  return `${all.map(visibleText).join("\n")}\n`;
}
