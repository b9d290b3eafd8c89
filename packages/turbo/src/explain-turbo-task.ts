import { compareUtf8 } from "@cuenv/digest";
import type { RunSummary, SummarizedGlobals, SummarizedTask } from "./run-summary.ts";

export type TurboCauseKind =
  | "inputChanged"
  | "inputAdded"
  | "inputRemoved"
  | "variableChanged"
  | "variablesDeclared"
  | "commandChanged"
  | "argumentsChanged"
  | "outputsDeclared"
  | "externalDependencies"
  | "dependencyChanged"
  | "dependencyAdded"
  | "dependencyRemoved"
  | "envMode"
  | "globalFile"
  | "globalVariable"
  | "globalDependencies"
  | "globalSettings"
  | "turboVersion"
  | "unknown";

/** One thing that makes a hash another than it was. */
export interface TurboCause {
  readonly kind: TurboCauseKind;
  /** The file, variable or task; what it is about. */
  readonly name: string;
  /** A text or a hash; null: not there. */
  readonly before: string | null;
  readonly after: string | null;
  /** One line for people. */
  readonly text: string;
}

/**
 * What made the hash of a task another than it was in an earlier run, the most telling first: what somebody edited before what follows
 * from it. Empty when the hash is the same.
 */
export function explainTurboTask(
  before: RunSummary,
  after: RunSummary,
  taskId: string,
): readonly TurboCause[] {
  const causes = explain(before, after, taskId, new Set());
  return causes ?? [];
}

function explain(
  before: RunSummary,
  after: RunSummary,
  taskId: string,
  seen: Set<string>,
): readonly TurboCause[] | undefined {
  const old = before.tasks.get(taskId);
  const now = after.tasks.get(taskId);
  if (old === undefined || now === undefined || old.hash === now.hash) return undefined;
  seen.add(taskId);
  const causes = [
    ...fileCauses(old, now),
    ...variableCauses("variableChanged", "variable", old.variables, now.variables),
    ...textCause("commandChanged", "command", old.command, now.command),
    ...listCause("argumentsChanged", "arguments", old.cliArguments, now.cliArguments),
    ...definitionCauses(old, now),
    ...globalCauses(before.globals, after.globals),
    // Last, since all of the above may be why a dependency changed, too.
    ...dependencyCauses(before, after, { old, now, seen }),
    ...textCause("turboVersion", "turbo", before.turboVersion, after.turboVersion),
  ];
  return causes.length > 0 ? causes : [unknownCause(old, now)];
}

function fileCauses(old: SummarizedTask, now: SummarizedTask): TurboCause[] {
  return differences(old.inputs, now.inputs).map(({ name, before, after }) => {
    if (before === null) return { kind: "inputAdded", name, before, after, text: `${name} is new` };
    if (after === null)
      return { kind: "inputRemoved", name, before, after, text: `${name} is gone` };
    return { kind: "inputChanged", name, before, after, text: `${name} changed` };
  });
}

function variableCauses(
  kind: TurboCauseKind,
  what: string,
  old: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): TurboCause[] {
  return differences(old, now).map(({ name, before, after }) => {
    const change = isSet(after)
      ? isSet(before)
        ? "has another value"
        : "is set now"
      : "is not set any more";
    return { kind, name, before, after, text: `the ${what} ${name} ${change}` };
  });
}

function isSet(hash: string | null): boolean {
  return hash !== null && hash !== "";
}

function dependencyCauses(
  before: RunSummary,
  after: RunSummary,
  { old, now, seen }: { old: SummarizedTask; now: SummarizedTask; seen: Set<string> },
): TurboCause[] {
  const causes: TurboCause[] = [];
  for (const name of now.dependencies) {
    const hash = after.tasks.get(name)?.hash ?? null;
    if (!old.dependencies.includes(name)) {
      const text = `it depends on ${name} now`;
      causes.push({ kind: "dependencyAdded", name, before: null, after: hash, text });
      continue;
    }
    const was = before.tasks.get(name)?.hash ?? null;
    if (was === hash || seen.has(name)) continue;
    const [first] = explain(before, after, name, seen) ?? [];
    const text = `${name} has another hash${first === undefined ? "" : `: ${first.text}`}`;
    causes.push({ kind: "dependencyChanged", name, before: was, after: hash, text });
  }
  for (const name of old.dependencies) {
    if (now.dependencies.includes(name)) continue;
    const was = before.tasks.get(name)?.hash ?? null;
    const text = `it does not depend on ${name} any more`;
    causes.push({ kind: "dependencyRemoved", name, before: was, after: null, text });
  }
  return causes;
}

function definitionCauses(old: SummarizedTask, now: SummarizedTask): TurboCause[] {
  const [external, was] = [now.hashOfExternalDependencies, old.hashOfExternalDependencies];
  return [
    ...(external === was
      ? []
      : [
          {
            kind: "externalDependencies" as const,
            name: "lockfile",
            before: was,
            after: external,
            text: "packages that it gets from the lockfile changed",
          },
        ]),
    ...listCause("outputsDeclared", "outputs", old.outputs, now.outputs),
    ...listCause("outputsDeclared", "excluded outputs", old.excludedOutputs, now.excludedOutputs),
    ...listCause("variablesDeclared", "env", old.declaredVariables, now.declaredVariables),
    ...listCause(
      "variablesDeclared",
      "passThroughEnv",
      old.passThroughVariables,
      now.passThroughVariables,
    ),
    ...textCause("envMode", "envMode", old.envMode, now.envMode),
  ];
}

function globalCauses(old: SummarizedGlobals, now: SummarizedGlobals): TurboCause[] {
  const files = differences(old.files, now.files).map(({ name, before, after }) => {
    const change = after === null ? "is gone" : before === null ? "is new" : "changed";
    const text = `the global dependency ${name} ${change}`;
    return { kind: "globalFile" as const, name, before, after, text };
  });
  return [
    ...files,
    ...variableCauses("globalVariable", "global variable", old.variables, now.variables),
    ...listCause("globalSettings", "globalEnv", old.declaredVariables, now.declaredVariables),
    ...listCause(
      "globalSettings",
      "globalPassThroughEnv",
      old.passThroughVariables,
      now.passThroughVariables,
    ),
    ...textCause(
      "globalDependencies",
      "packages of the root",
      old.hashOfExternalDependencies,
      now.hashOfExternalDependencies,
    ),
    ...textCause(
      "globalDependencies",
      "workspace packages of the root",
      old.hashOfInternalDependencies,
      now.hashOfInternalDependencies,
    ),
    ...textCause("globalSettings", "engines", old.engines, now.engines),
    ...textCause("globalSettings", "turbo's root key", old.rootKey, now.rootKey),
  ];
}

function textCause(
  kind: TurboCauseKind,
  name: string,
  before: string,
  after: string,
): TurboCause[] {
  return before === after ? [] : [{ kind, name, before, after, text: `${name} changed` }];
}

function listCause(
  kind: TurboCauseKind,
  name: string,
  before: readonly string[],
  after: readonly string[],
): TurboCause[] {
  const texts = [before, after].map((list) => JSON.stringify(list)) as [string, string];
  if (texts[0] === texts[1]) return [];
  const text = `${name}: ${texts[1]}, before ${texts[0]}`;
  return [{ kind, name, before: texts[0], after: texts[1], text }];
}

function unknownCause(old: SummarizedTask, now: SummarizedTask): TurboCause {
  const text = "turbo gives it another hash, and names no input that changed";
  return { kind: "unknown", name: now.taskId, before: old.hash, after: now.hash, text };
}

interface Difference {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

function differences(
  old: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): Difference[] {
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].toSorted(compareUtf8);
  return names.flatMap((name) => {
    // A file may be called `constructor`.
    const [before, after] = [old, now].map((each) =>
      Object.hasOwn(each, name) ? (each[name] ?? null) : null,
    ) as [string | null, string | null];
    return before === after ? [] : [{ name, before, after }];
  });
}
