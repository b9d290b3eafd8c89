import type { DataObject } from "../evaluated-package.ts";
import type { Problems } from "../problems.ts";

/** What every part of the normaliser needs to know. */
export interface Context {
  readonly problems: Problems;
  /** The whole evaluated package. */
  readonly value: DataObject;
  readonly references: Readonly<Record<string, string>>;
  /** Relative to the workspace root, "" for the root itself. */
  readonly projectDirectory: string;
  /** Absolute; undefined when only data is looked at: then folders of definitions are unknown. */
  readonly workspaceRoot: string | undefined;
  readonly ignored: IgnoredFields;
}

/** Fields that are understood and not honoured: each is named once, with the tasks that have it. */
export interface IgnoredFields {
  add(field: string, task: string, pointer: string, detail: string): void;
  /** Turns what was collected into warnings. */
  warn(problems: Problems): void;
}

const namedTasks = 3;

export function createIgnoredFields(): IgnoredFields {
  const fields = new Map<string, { pointer: string; detail: string; tasks: string[] }>();
  return {
    add(field, task, pointer, detail) {
      const known = fields.get(field);
      if (known === undefined) fields.set(field, { pointer, detail, tasks: [task] });
      else known.tasks.push(task);
    },
    warn(problems) {
      for (const [field, { pointer, detail, tasks }] of fields) {
        const rest = tasks.length - namedTasks;
        const names = tasks.slice(0, namedTasks).join(", ");
        const where = rest > 0 ? `${names} and ${rest} more` : names;
        problems.warn(`ignored ${field}`, pointer, `\`${field}\` ${detail} (${where})`);
      }
    },
  };
}
