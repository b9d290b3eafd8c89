import type { Flag } from "./command.ts";

// The flags that mean the same wherever a command has them.

export const directory: Flag = {
  type: "string",
  short: "C",
  value: "DIR",
  summary: "Run as if started in DIR",
};
export const json: Flag = { type: "boolean", summary: "Print one JSON document on stdout" };
export const packageName: Flag = {
  type: "string",
  value: "NAME",
  summary: "The CUE package to evaluate (also CUENV_PACKAGE)",
};

export const environment: Flag = {
  type: "string",
  short: "e",
  value: "NAME",
  summary: "Use the overrides of this environment (also CUENV_ENV)",
};
