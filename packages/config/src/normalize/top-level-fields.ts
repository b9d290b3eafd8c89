import { nearName } from "@cuenv/errors";
import { type DataObject, isDataObject, ownField } from "../evaluated-package.ts";
import type { Context } from "./context.ts";

const honouredTopLevel = ["tasks", "env", "config"];
const ignoredTopLevel = ["hooks", "services", "images", "runtime"];

/** Top-level fields are free, so only a near miss of one that is not there itself can be told to be a mistake. */
export function warnAndRefuseTopLevel({ value, problems }: Context): void {
  const missing = honouredTopLevel.filter((field) => ownField(value, field) === undefined);
  for (const [field, data] of Object.entries(value)) {
    if (data === null || !isDataObject(data) || field.startsWith("_")) continue;
    const near = honouredTopLevel.includes(field)
      ? undefined
      : (nearName(field, missing) ?? honouredTopLevel.find((known) => isAnagram(known, field)));
    if (near === undefined) continue;
    const message = `cannot read the project: \`${field}\` is not a field of it`;
    problems.add("CONFIG_UNKNOWN_FIELD", `/${field}`, message, `did you mean \`${near}\`?`);
  }
  for (const field of ignoredTopLevel) {
    if (ownField(value, field) === undefined) continue;
    problems.warn(`ignored ${field}`, `/${field}`, `\`${field}\` has no effect in this version`);
  }
  warnOfContributors(value, problems);
}

/** cuenv 0.54 runs what a contributor of CI brings along before tasks with certain commands, and not in CI only: `bun install`. */
function warnOfContributors(value: DataObject, problems: Context["problems"]): void {
  const ci = ownField(value, "ci");
  const contributors = isDataObject(ci) ? ownField(ci, "contributors") : undefined;
  if (!Array.isArray(contributors)) return;
  const before = contributors.flatMap((contributor) => {
    if (!isDataObject(contributor)) return [];
    const associate = ownField(contributor, "autoAssociate");
    const commands = isDataObject(associate) ? ownField(associate, "command") : undefined;
    return Array.isArray(commands) ? commands.filter((name) => typeof name === "string") : [];
  });
  if (before.length === 0) return;
  const message = `\`ci.contributors\` has no effect in this version: nothing is installed before tasks that run ${before.join(", ")}`;
  problems.warn("ignored contributors", "/ci/contributors", message);
}

function isAnagram(left: string, right: string): boolean {
  return left !== right && sortedLetters(left) === sortedLetters(right);
}

function sortedLetters(text: string): string {
  return text.split("").toSorted().join("");
}
