// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "3c2d6e36ffa69ca63781a61b0cd79c7e74d7b0bbddbb3e25d3771674a180e361";
