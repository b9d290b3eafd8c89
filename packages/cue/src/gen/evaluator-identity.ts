// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "2b72b68192304fd005c5fe90a8dc3e022d394e653dccbc2dc370cb020579f323";
