/** Where GitHub Actions takes the summary of a step; undefined: nowhere, or CUENV_STEP_SUMMARY says off. */
export function stepSummaryFile(env: NodeJS.ProcessEnv): string | undefined {
  const { GITHUB_STEP_SUMMARY: file, CUENV_STEP_SUMMARY: wanted = "" } = env;
  const isOff = ["0", "false", "off", "no"].includes(wanted.toLowerCase());
  return file === undefined || file === "" || isOff ? undefined : file;
}
