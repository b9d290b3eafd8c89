// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "02f14ee4b335d17a1fa5283c73a38f3d43f71e1cb2afb51ed40de97e76c52ca3";
