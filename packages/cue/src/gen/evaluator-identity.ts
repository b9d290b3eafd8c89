// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "78cebea18cec135612d7496d9392064d582127bb11155df68f0f62c16008f866";
