/** What a request asks for: the path in segments, each decoded, and the query. */
export interface RequestTarget {
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** No path of a cache is longer; a longer one is refused unread. */
const maxTargetChars = 8192;
const maxSegments = 32;
// oxlint-disable-next-line no-control-regex -- that is what is looked for
const controls = /[\u0000-\u001f\u007f]/;

/**
 * Splits the target of a request as it came over the wire. Nothing is resolved: `..`, and slashes that are percent-encoded, stay inside
 * their segment, where every front end refuses them. Empty segments are dropped, because a base URL with a slash at its end makes `//v8/…`.
 * @returns undefined when it is not a path, too long, or not decodable.
 */
export function parseTarget(target: string): RequestTarget | undefined {
  if (!target.startsWith("/") || target.length > maxTargetChars) return undefined;
  const end = target.indexOf("?");
  const path = end < 0 ? target : target.slice(0, end);
  const raw = path.split("/").filter((segment) => segment !== "");
  if (raw.length > maxSegments) return undefined;
  const segments: string[] = [];
  for (const segment of raw) {
    const decoded = decode(segment);
    if (decoded === undefined || controls.test(decoded)) return undefined;
    segments.push(decoded);
  }
  return { segments, query: new URLSearchParams(end < 0 ? "" : target.slice(end + 1)) };
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
