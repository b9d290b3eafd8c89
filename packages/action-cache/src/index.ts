export type { ActionKey, ActionStore } from "./action-store.ts";
