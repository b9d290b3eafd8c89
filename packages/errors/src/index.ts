/** The base error of cuenv, the table of its codes, and what errors are written with. */
export { CuenvError, type CuenvErrorOptions, type Location } from "./cuenv-error.ts";
export { type ErrorCode, errorTable, exitCodes } from "./error-table.ts";
export { nearName } from "./near-name.ts";
