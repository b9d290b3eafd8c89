declare const CUENV_BUILD_ID: string | undefined;

/** Names the sources of this bundle; undefined when it runs from source. What is remembered under it dies with the next build. */
export const buildId: string | undefined =
  typeof CUENV_BUILD_ID === "string" ? CUENV_BUILD_ID : undefined;
