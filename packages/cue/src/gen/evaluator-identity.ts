// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "6725f63c6a9ab78fcb731558fbeb86cbd65d71d5b978d09196cefeefe49ee9d9";
