import { baseOf, placedPattern } from "./placed-pattern.ts";
import type { SyncCommand, SyncPackage, SyncWorkspace } from "./sync-workspace.ts";

export interface Maker {
  readonly owner: SyncPackage;
  readonly command: SyncCommand;
}

/** What the tasks of a workspace make, looked up many times. */
export interface WorkspaceOutputs {
  /** Folders and files of outputs that git ignores. */
  readonly ignored: ReadonlySet<string>;
  /** Commands of other packages that make what a pattern names, in the order of the packages and their tasks. */
  makersOf(owner: SyncPackage, place: string): readonly Maker[];
}

export function createWorkspaceOutputs({ packages }: SyncWorkspace): WorkspaceOutputs {
  const makers: Maker[] = [];
  /** Indexes of makers, by what they make. */
  const byOutput = new Map<string, number[]>();
  for (const owner of packages)
    for (const command of owner.tasks) {
      if (command.kind !== "command") continue;
      for (const output of outputsOf(owner, [command])) {
        const known = byOutput.get(output) ?? [];
        byOutput.set(output, known);
        known.push(makers.length);
      }
      makers.push({ owner, command });
    }
  return {
    ignored: new Set(packages.flatMap((each) => foldersOf(each, each.ignoredOutputs))),
    makersOf(owner, place) {
      const found = foldersAround(baseOf(place)).flatMap((folder) => byOutput.get(folder) ?? []);
      return [...new Set(found)]
        .toSorted((left, right) => left - right)
        .flatMap((index) => makers[index] ?? [])
        .filter((maker) => maker.owner !== owner);
    },
  };
}

/** A path and the folders that it is within. */
function foldersAround(path: string): readonly string[] {
  const segments = path.split("/");
  return ["", ".", ...segments.map((_, index) => segments.slice(0, index + 1).join("/"))];
}

/** The folders and files that outputs lie in. */
export function outputsOf(owner: SyncPackage, commands: readonly SyncCommand[]): readonly string[] {
  return commands.flatMap(({ outputs }) => foldersOf(owner, outputs ?? []));
}

function foldersOf(owner: SyncPackage, outputs: readonly string[]): readonly string[] {
  // What a list takes out of outputs may be an input.
  if (outputs.some((pattern) => pattern.startsWith("!"))) return [];
  return outputs.flatMap((pattern) => {
    const place = placedPattern(owner, pattern);
    const base = place === undefined ? undefined : baseOf(place);
    // `*.log` in the package's folder: all of it is not the output.
    return base === undefined || base === (owner.path || ".") ? [] : [base];
  });
}
