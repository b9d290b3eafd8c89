// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "c296c9a131b86f435837a17fc20d9f0f228bc2557a6d9a8fef590f76e0e32629";
