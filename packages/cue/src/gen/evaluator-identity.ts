// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "a3237ad7fd940fb1e05c343b45ae279c1902927f71d48453b1ba9fe7ba67050a";
