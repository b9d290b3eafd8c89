// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "b683eb790452839c4bdfd40f3af5eb7c395617b60e64340aa2a544b31efea7e8";
