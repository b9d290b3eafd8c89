// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "5d9864577cc1e4599ca0cee0cea254b2db4c780e40efae7a353cf84c0f1ead93";
