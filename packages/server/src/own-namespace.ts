import type { Identity } from "./access-policy.ts";

/** Where those write who name no namespace, and whose token is not bound to one. */
export const defaultNamespace = "default";

/** The namespace that a token is for when the request names none: the first of its own. */
export function ownNamespace({ namespaces }: Identity): string {
  return namespaces === "*" ? defaultNamespace : (namespaces[0] ?? defaultNamespace);
}
