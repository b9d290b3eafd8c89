/** The namespace that nobody chose. */
const defaultNamespace = "default";

/** The instance name of a namespace. Where none was chosen there is none: servers have one such instance, and ours takes the token's own namespace. */
export function instanceNameOf(namespace: string): string {
  return namespace === defaultNamespace ? "" : namespace;
}
