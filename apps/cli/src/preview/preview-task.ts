import { planRun } from "@cuenv/runner";
import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { oneName } from "../command-line/given.ts";
import { openProject, type OpenProject } from "../project/open-project.ts";
import { type NodePreview, previewPlan } from "./preview-plan.ts";

export interface PreviewedTask {
  readonly open: OpenProject;
  readonly name: string;
  readonly node: NodePreview;
  /** Of it and of all that it depends on. */
  readonly previews: ReadonlyMap<string, NodePreview>;
}

/**
 * Looks one task up that was named on the command line.
 * @throws {CuenvError} USAGE when several tasks, or none, are meant
 */
export async function previewNamedTask(invocation: Invocation): Promise<PreviewedTask> {
  const asked = oneName(invocation, "task");
  const open = await openProject(invocation);
  const plan = planRun(open.project, { names: [asked], args: invocation.rest ?? [] });
  const named = plan.nodes.filter((node) => node.named).map((node) => node.name);
  const [name, ...more] = named;
  if (name === undefined || more.length > 0) {
    throw new CuenvError("USAGE", `cannot take "${asked}" for one task: it is ${named.length}`, {
      hint: `Name one of them: ${named.slice(0, 5).join(", ")}${named.length > 5 ? " …" : ""}.`,
    });
  }
  const previews = await previewPlan(open, plan, { hasInputs: true });
  const node = previews.get(name);
  if (node === undefined) throw new TypeError(`${name} was not looked at`);
  return { open, name, node, previews };
}
