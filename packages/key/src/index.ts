export type * from "./key-inputs.ts";
