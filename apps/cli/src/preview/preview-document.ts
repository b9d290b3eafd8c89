import type { Cause } from "@cuenv/cache/explanation";
import type { NodePreview } from "./preview-plan.ts";

/** A cause as scripts see it: of the first component, and all of them. Null: there was none. */
export interface CauseDocument extends ComponentDocument {
  readonly kind: Cause["kind"];
  readonly text: string;
  readonly components: readonly ComponentDocument[];
}

interface ComponentDocument {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

export function causeDocument({ kind, text, components, ...first }: Cause): CauseDocument {
  return { kind, ...componentDocument(first), text, components: components.map(componentDocument) };
}

function componentDocument({
  name,
  before,
  after,
}: Cause["components"][number]): ComponentDocument {
  return { name, before: before ?? null, after: after ?? null };
}

/** The document of `cuenv task --dry-run --json`: that of a run (version 1), with `outcome` "planned" and what would be found. */
export function previewDocument(previews: ReadonlyMap<string, NodePreview>): object {
  const tasks = [...previews].map(([name, node]) => {
    const preview = node.kind === "cached" ? node.preview : undefined;
    const savedMs = preview?.result?.durationMs ?? 0;
    return {
      name,
      outcome: "planned",
      exitCode: null,
      key: preview?.key ?? null,
      cache: {
        status: statusOf(node),
        tier: preview?.tier ?? null,
        reason: preview?.outcome === "hit" ? null : reasonOf(node),
        stored: false,
      },
      durationMs: 0,
      savedMs,
      restoredFiles: 0,
      outputsLeft: false,
    };
  });
  const count = (status: string): number =>
    tasks.filter((task) => task.cache.status === status).length;
  return {
    version: 1,
    dryRun: true,
    tasks,
    summary: {
      hits: count("hit"),
      misses: count("miss"),
      unknown: count("unknown"),
      failed: 0,
      exitCode: 0,
      durationMs: 0,
      savedMs: tasks.reduce((sum, task) => sum + task.savedMs, 0),
    },
  };
}

export function statusOf(node: NodePreview): "hit" | "miss" | "off" | "unknown" {
  if (node.kind === "cached") return node.preview.outcome;
  if (node.kind === "uncached") return "off";
  return node.causes.length > 0 ? "miss" : "unknown";
}

/** Why a task would run, in a few words. */
export function reasonOf(node: NodePreview): string {
  switch (node.kind) {
    case "cached":
      return node.preview.text;
    case "uncached":
      return "not cached";
    case "unknown":
      return node.causes[0]?.text ?? `depends on what ${node.because} makes, which would run first`;
  }
}
