// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "44605734e98fa5d1f362aa95fe30bc5fc92699927bb850a4bd80e24574eafe69";
