import type { Flag } from "./command.ts";

/** Every command has it. */
export const helpFlag: Flag = { type: "boolean", short: "h", summary: "Print this" };
