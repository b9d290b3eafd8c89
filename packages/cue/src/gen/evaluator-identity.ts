// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "da8ae73f5fe2577cd60f8c2b6591bb4435bcf81be5c54d614d358d9d294ff663";
