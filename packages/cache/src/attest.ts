import { provenanceStatement, type Statement } from "./provenance-statement.ts";
import { readStoredResult, type StoredResultOptions } from "./read-stored-result.ts";

/**
 * What was recorded of a stored result, as an in-toto Statement with SLSA provenance. Only of a result that would be used here.
 * @throws as {@link readStoredResult}
 */
export async function attest(options: StoredResultOptions): Promise<Statement> {
  const { result, keyInputs } = await readStoredResult(options);
  return provenanceStatement(result, keyInputs);
}
