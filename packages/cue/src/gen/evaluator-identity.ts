// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "a769a22a970f0fe009331052b225935c51f51fb4fdf506beb1bb05f2c4d933be";
