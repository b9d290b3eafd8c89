// Written by build-evaluator.mjs: the digest of the evaluator and of the schema's files.
export const evaluatorIdentity: string =
  "12c2d2d6e9d258c243c10404ec9db118c5d9f1c2931368254881914d05508146";
