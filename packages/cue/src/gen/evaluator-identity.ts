// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "56310a06194a53d6d9dfac4da65eb79b2fbbc65261bb0bb76c7a86448fa1ea52";
