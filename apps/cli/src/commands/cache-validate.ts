import { patternError } from "@cuenv/cache/explanation";
import { type CuenvError, exitCodes } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { type Finding, findingOfError, findingOfWarning } from "../configuration/finding.ts";
import { otherFindings } from "../configuration/other-findings.ts";
import { type Configuration, readConfiguration } from "../configuration/read-configuration.ts";
import { formatLocation } from "../report/report-error.ts";
import { painterOf, printOut } from "../report/terminal.ts";
import { visibleLines } from "../report/visible-text.ts";

/** `cuenv cache validate`: everything that is wrong with the configuration, at once. */
export async function runCacheValidate(invocation: Invocation): Promise<number> {
  const configuration = await readConfiguration(invocation, { everyPlace: true });
  const noted = [...configuration.warnings, ...otherFindings(configuration)];
  // A name that is no setting does not stop a run. It is a mistake all the same.
  const issues = inOrder([
    ...configuration.errors.map(findingOfError),
    ...patternErrors(configuration).map(findingOfError),
    ...noted.filter(({ kind }) => kind === "unknown").map(findingOfWarning),
  ]);
  const warnings = inOrder(noted.filter(({ kind }) => kind !== "unknown").map(findingOfWarning));
  const files = filesOf(configuration);
  if (invocation.flags["json"] === true)
    printOut(`${JSON.stringify({ version: 1, issues, warnings, files })}\n`);
  else {
    const isOld = noted.some(
      ({ kind, location }) => kind === "deprecated" && location !== undefined,
    );
    const hint = isOld ? "cuenv cache migrate rewrites what is deprecated in files.\n" : "";
    printOut(`${report(issues, warnings, files)}${hint}`);
  }
  return issues.length === 0 ? 0 : exitCodes.configuration;
}

function patternErrors({ project }: Configuration): readonly CuenvError[] {
  return Object.values(project?.tasks ?? {}).flatMap((task) => {
    const error = task.kind === "command" ? patternError(task) : undefined;
    return error === undefined ? [] : [error];
  });
}

/** File by file as they were read, from the top of each to its end; what has no file comes last. */
function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const files = [...new Set(findings.map(({ file }) => file))].filter((file) => file !== null);
  const rank = ({ file }: Finding): number => (file === null ? files.length : files.indexOf(file));
  return findings.toSorted(
    (left, right) => rank(left) - rank(right) || (left.line ?? 0) - (right.line ?? 0),
  );
}

/** What was looked at and could be read. */
function filesOf({ evaluated, files }: Configuration): readonly string[] {
  const cue = (evaluated?.inputs ?? []).flatMap(({ kind, path }) =>
    kind === "file" && path.endsWith(".cue") && !/[/\\]cue\.mod[/\\]/.test(path) ? [path] : [],
  );
  return [...cue, ...files.map(({ path }) => path)];
}

function report(
  issues: readonly Finding[],
  warnings: readonly Finding[],
  files: readonly string[],
): string {
  const paint = painterOf(1);
  const lines = (findings: readonly Finding[], title: string): readonly string[] =>
    findings.flatMap(({ file, line, column, message, suggestion }) => {
      const at = { ...(line === null ? {} : { line }), ...(column === null ? {} : { column }) };
      const place = file === null ? "" : `${formatLocation({ file, ...at })}: `;
      const hint =
        suggestion === null || message.endsWith(suggestion)
          ? []
          : [`${paint("cyan", "hint")}: ${visibleLines(suggestion)}`];
      return [`${title}: ${visibleLines(place + message)}`, ...hint];
    });
  const count = (found: number, what: string): string =>
    `${found} ${what}${found === 1 ? "" : "s"}`;
  // A file with an error in it could not be read, and was looked at.
  const wrong = issues.flatMap(({ file }) => (file === null ? [] : [file]));
  const names = [...new Set([...files, ...wrong])]
    .map((file) => formatLocation({ file }))
    .join(", ");
  const checked =
    names === "" ? "There is nothing to check: no file of cuenv's" : `Checked ${names}`;
  return [
    ...lines(issues, paint("red", "error")),
    ...lines(warnings, paint("yellow", "warning")),
    `${checked}: ${count(issues.length, "error")}, ${count(warnings.length, "warning")}`,
    "",
  ].join("\n");
}
