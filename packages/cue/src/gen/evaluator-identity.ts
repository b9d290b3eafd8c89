// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "6e15bcf9bb4c7d90040756f84c255f9c4869ee041ced9159fa1c73df78def379";
