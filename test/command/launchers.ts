/**
 * The launcher as it is published, with the bundle behind it: a copy that stays what it is while the tests run.
 * CUENV_E2E_LAUNCHER names another one: that of an installed package, say.
 */
export const shippedLauncher: string = launcherOf("CUENV_TEST_SHIPPED_LAUNCHER");

/**
 * The same, but that it does not load an evaluator of its own (0.4 s of CPU for each new env.cue): it asks one that the
 * global set-up of the tests keeps loaded. For whatever is not about the evaluator, its thread or its limits.
 */
export const launcher: string = launcherOf("CUENV_TEST_WARM_LAUNCHER");

function launcherOf(variable: string): string {
  const path = process.env["CUENV_E2E_LAUNCHER"] ?? process.env[variable];
  if (path === undefined) throw new Error(`${variable} is not set: run this by \`npm test\``);
  return path;
}
