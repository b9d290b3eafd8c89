/** What tasks read, looked at again and again: apart from the index, because only `--watch` needs it. */
export { excludedPaths } from "./excluded-paths.ts";
export {
  createInputLook,
  type WatchedFile,
  type WatchedInputs,
  type WatchedInputsOptions,
} from "./watched-inputs.ts";
