// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "ee6da95238f78ebdea4a1ffe8ea079a3eef87f0660fa7e737d15a57815701592";
