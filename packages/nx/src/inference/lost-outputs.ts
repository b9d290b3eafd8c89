import { posix } from "node:path";

export interface OutputsQuestion {
  /** The project's folder, from Nx' workspace root. */
  readonly root: string;
  /** The first is the one that Nx puts for `{projectName}`. */
  readonly projectNames: readonly string[];
}

/**
 * Which of the declared outputs a list that takes their place leaves out. A hit would not put these back, and what depends on the target would be hashed
 * without them. One that leaves out is lost as well: what it names would be stored. A folder stands for what is in it.
 */
export function lostOutputs(
  question: OutputsQuestion,
  declared: readonly string[],
  given: readonly unknown[],
): readonly string[] {
  const places = given.flatMap((each) =>
    typeof each === "string" ? [placeOf(question, each)] : [],
  );
  const isKept = (output: string): boolean => {
    const place = placeOf(question, output);
    if (place.startsWith("!")) return places.includes(place);
    return places.some((each) => each === "." || place === each || place.startsWith(`${each}/`));
  };
  return declared.filter((output) => !isKept(output));
}

/** From the workspace root, and without what says "everything below". */
function placeOf({ root, projectNames }: OutputsQuestion, output: string): string {
  const isNegative = output.startsWith("!");
  const path = output
    .slice(isNegative ? 1 : 0)
    .replaceAll("{workspaceRoot}", ".")
    .replaceAll("{projectRoot}", root)
    .replaceAll("{projectName}", projectNames[0] ?? "{projectName}")
    .replace(/(?:\/\*\*(?:\/\*)?|\/)$/, "");
  return `${isNegative ? "!" : ""}${posix.normalize(path)}`;
}
