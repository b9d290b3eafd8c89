/** The normaliser alone, for `await import()`: a warm run takes a remembered project and never loads it. */
export { normalizeProject, type NormalizeOptions } from "./normalize-project.ts";
