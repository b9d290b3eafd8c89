import { createHash } from "node:crypto";
import { isNamespace } from "@cuenv/action-cache";

const placeholder = /\{(\w+)\}/g;
/** Of a claim's value, in a namespace: what people recognize it by, and what no other value has. */
const maxReadableChars = 40;
const hashDigits = 16;

/** Whether a name of a rule is a namespace with any value for each `{claim}` in it. */
export function isNamespacePattern(name: string): boolean {
  return isNamespace(name.replaceAll(placeholder, "x".repeat(maxReadableChars + 1 + hashDigits)));
}

/** The namespaces of a rule, with the values of a token's claims; undefined when the token lacks one. */
export function fillNamespaces(
  namespaces: "*" | readonly string[],
  claims: Readonly<Record<string, unknown>>,
): "*" | readonly string[] | undefined {
  if (namespaces === "*") return namespaces;
  const filled: string[] = [];
  for (const name of namespaces) {
    let isComplete = true;
    const one = name.replaceAll(placeholder, (_, claim: string) => {
      const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
      if (typeof value === "string" && value !== "") return nameOf(value);
      isComplete = false;
      return "";
    });
    if (!isComplete) return undefined;
    filled.push(one);
  }
  return filled;
}

/** Two values never have one name: `a/b` and `a-b` are two branches. */
function nameOf(value: string): string {
  const readable = value
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, maxReadableChars);
  const hash = createHash("sha256").update(value).digest("hex").slice(0, hashDigits);
  return readable === "" ? hash : `${readable}-${hash}`;
}
