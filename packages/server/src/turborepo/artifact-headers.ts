import type { IncomingHttpHeaders } from "node:http";

export type ArtifactField = "duration" | "tag" | "sha" | "dirtyHash" | "client";

/** What turbo sends with an artifact and gets back with it, and what each must look like. */
const fields: Readonly<
  Record<ArtifactField, { readonly header: string; readonly pattern: RegExp }>
> = {
  duration: { header: "x-artifact-duration", pattern: /^\d{1,15}$/ },
  tag: { header: "x-artifact-tag", pattern: /^[A-Za-z0-9+/=_-]{1,600}$/ },
  sha: { header: "x-artifact-sha", pattern: /^[0-9a-fA-F]{1,128}$/ },
  dirtyHash: { header: "x-artifact-dirty-hash", pattern: /^[0-9A-Za-z]{1,128}$/ },
  client: { header: "x-artifact-client-ci", pattern: /^[\w .-]{1,64}$/ },
};

/** @returns the header's name when its value is odd. */
export function readArtifactHeaders(
  headers: IncomingHttpHeaders,
): { readonly values: Record<string, string> } | { readonly odd: string } {
  const values: Record<string, string> = {};
  for (const [name, { header, pattern }] of Object.entries(fields)) {
    const value = headers[header];
    if (value === undefined || value === "") continue;
    if (typeof value !== "string" || !pattern.test(value)) return { odd: header };
    values[name] = value;
  }
  return { values };
}

/** Those that go back: all but the name of the CI system. */
export function artifactHeaders(values: Readonly<Record<string, string>>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of ["duration", "tag", "sha", "dirtyHash"] as const) {
    const value = values[name];
    if (value !== undefined) found[fields[name].header] = value;
  }
  return found;
}

/** What a preflight allows, so that the token goes along with what follows. */
export const allowedHeaders: string = [
  "Authorization",
  "Content-Type",
  "User-Agent",
  ...Object.values(fields).map(({ header }) => header),
].join(", ");
