export type * from "./cache-settings.ts";
export type * from "./task.ts";
